"""Looking through the systems: when it begins, what officers see of it, and what they decide about a finding
(Regulation 3.6, 3.7; connector contract, rule 4).

Leaves alone how a system is asked (`idp/provisioning/scan.py`) and what is wrong (`policies/reconciliation.py`).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from connectors.base import MANUAL
from idp.db import db, insert
from idp.errors import Forbidden
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.want_access import want_again
from idp.flows.work import SCANS, Work, leave_work
from idp.models import Account, Circuit, Finding, Link, Scan, System
from policies.deadlines import local_day, start_of
from policies.permissions import Whom, may
from policies.reconciliation import MENDED_BY_A_TASK, Found
from policies.remarks import remark

NOBODY = Whom(None, frozenset(), None)
MOST_ROWS = 500
NIGHT = 4  # hours from the one of the rules on
TRUSTED = ("done", "shrunk")  # states of scans that came to their end


def begin_scan(here: Here, system: str) -> bool:
    """Have a worker look through `system`; False while one does.  Whoever asks at the same time, one begins."""
    row = {"id": uuid7(), "system": system, "asked_by": here.actor, "started_at": here.now, "run_at": here.now,
           "state": "running", "pages": 0, "accounts": 0, "failures": 0, "attempt": 0}  # fmt: skip
    begun = db.session.scalar(insert(Scan).values(row).on_conflict_do_nothing().returning(Scan.id))
    if begun is None:
        return False
    record(here, "scan-begun", subject=f"system/{system}", after={"scan": begun})
    leave_work(Work("scan", begun, here.now, SCANS, system))
    return True


def begin_nightly(here: Here, systems: Iterable[str]) -> None:
    """Of the connected `systems`, those that were not looked through since midnight; in the night alone, when the hour
    has come."""
    zone, rules = here.service.zone, here.service.profile.rules.reconciliation
    if (here.now.astimezone(zone).hour - rules.hour) % 24 >= NIGHT:
        return
    midnight = start_of(local_day(here.now, zone), zone)
    looked = set(db.session.scalars(sa.select(Scan.system).where(Scan.started_at >= midnight)))
    for system in sorted(set(systems) - looked):
        begin_scan(here, system)


def ask_for_scan(here: Here, system: str) -> Refusal | None:
    """As an administrator.  Refusals: ``scan-runs``, ``scan-by-hand`` (no connector).  Raises `Forbidden`."""
    _check(here)
    kind = db.session.scalar(sa.select(System.kind).where(System.code == system))
    if kind is None or kind == MANUAL:
        return Refusal("scan-by-hand")
    return None if begin_scan(here, system) else Refusal("scan-runs")


def systems_overview(here: Here, language: str) -> list[dict[str, Any]]:
    """Each system that a connector keeps, with its latest scan and what is still wrong.  Raises `Forbidden`."""
    _check(here)
    open_ones = db.session.scalars(sa.select(Circuit).where(Circuit.opened_at.is_not(None)))
    stopped = {one.system: one for one in open_ones}
    rows = db.session.scalars(sa.select(System).where(System.kind != MANUAL).order_by(System.code)).all()
    return [
        {
            "code": one.code,
            "name": one.names[language],
            "kind": one.kind,
            "circuit": stopped.get(one.code),
            **_latest(one.code),
        }
        for one in rows
    ]


def findings_of(here: Here, system: str) -> dict[str, Any]:
    """What the last whole scan found in `system` and nobody has settled.  Raises `Forbidden`."""
    _check(here)
    scan = _last_whole(system)
    unsettled = sa.select(Finding, Account.login).join(Account, Account.id == Finding.account_id, isouter=True)
    rows = db.session.execute(
        unsettled.where(Finding.scan_id == scan.id, Finding.settled_at.is_(None))
        .order_by(Finding.kind, Account.login, Finding.id)
        .limit(MOST_ROWS)
    ).all() if scan else []  # fmt: skip
    return {
        "scan": scan,
        "findings": [
            {
                "id": finding.id,
                "kind": finding.kind,
                "account_id": finding.account_id,
                "login": login or finding.details.get("login"),
                "email": finding.details.get("email"),
                "attributes": finding.details.get("attributes", []),
                "remote_id": finding.remote_id,
                "mendable": Found(finding.kind) in MENDED_BY_A_TASK,
                "proposed": finding.details.get("proposed"),
            }
            for finding, login in rows
        ],
    }


def mend(here: Here, finding: Finding) -> Refusal | None:
    """Have a worker bring it into line.  Refusals: ``gone`` (settled meanwhile), ``not-mendable``.  Raises `Forbidden`."""
    _check(here)
    if Found(finding.kind) not in MENDED_BY_A_TASK:
        return Refusal("not-mendable")
    if not settle_finding(here, finding.id, "mended"):
        return Refusal("gone")
    mend_link(here, finding)
    return None


def mend_link(here: Here, finding: Finding) -> None:
    """A task for the link that the finding is about; an officer's says what is wrong."""
    link = db.session.scalars(
        sa.select(Link).where(Link.account_id == finding.account_id, Link.system == finding.system).with_for_update()
    ).one()
    account, missing = db.session.get_one(Account, finding.account_id), finding.kind == Found.MISSING.value
    want_again(here, account, link, missing, finding.details.get("attributes", []))


def adopt(here: Here, finding: Finding) -> Refusal | None:
    """Take an account that was nobody's for that of the person whose address it has; a worker then brings it into line.

    Refusals: ``gone``, ``not-adoptable`` (nobody is proposed, or the person has an account there).  Raises `Forbidden`.
    """
    _check(here)
    proposed = finding.details.get("proposed")
    link = db.session.scalar(
        sa.select(Link)
        .join(Account, Account.id == Link.account_id)
        .where(Account.login == proposed, Link.system == finding.system, Link.remote_id.is_(None))
        .with_for_update(of=Link)
    )
    if link is None or finding.remote_id is None:
        return Refusal("not-adoptable")
    if not settle_finding(here, finding.id, "adopted"):
        return Refusal("gone")
    link.remote_id = finding.remote_id
    account = db.session.get_one(Account, link.account_id)
    subject, after = f"system/{finding.system}", {"remote_id": finding.remote_id}
    record(here, "account-adopted", account, subject=subject, before={"remote_id": None}, after=after)
    want_again(here, account, link)
    return None


def leave(here: Here, finding: Finding, reason: str) -> Refusal | None:
    """Let it be, with a reason; the same is not told of again.  Refusals: ``gone``, ``leave-reason-required``."""
    _check(here)
    told = remark(reason)
    if not told:
        return Refusal("leave-reason-required")
    return None if settle_finding(here, finding.id, "left", told) else Refusal("gone")


def settle_finding(here: Here, finding_id: UUID, outcome: str, reason: str | None = None) -> bool:
    """Once, whoever decides at the same time."""
    settled = db.session.execute(
        sa.update(Finding)
        .where(Finding.id == finding_id, Finding.settled_at.is_(None))
        .values(settled_at=here.now, settled_by=here.actor, outcome=outcome, reason=reason)
        .returning(Finding.kind, Finding.system, Finding.account_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if settled is None:
        return False
    account = db.session.get(Account, settled.account_id) if settled.account_id else None
    after = {"kind": settled.kind, "outcome": outcome} | ({"reason": reason} if reason else {})
    record(here, "finding-settled", account, subject=f"system/{settled.system}", after=after)
    return True


def _latest(system: str) -> dict[str, Any]:
    scan = db.session.scalar(
        sa.select(Scan).where(Scan.system == system).order_by(Scan.started_at.desc(), Scan.id.desc()).limit(1)
    )
    whole = _last_whole(system)
    kinds = db.session.scalars(
        sa.select(Finding.kind).where(Finding.scan_id == whole.id, Finding.settled_at.is_(None))
    ) if whole else ()  # fmt: skip
    return {"latest": scan, "whole": whole, "findings": Counter(kinds)}


def _last_whole(system: str) -> Scan | None:
    whole = sa.select(Scan).where(Scan.system == system, Scan.state.in_(TRUSTED))
    return db.session.scalar(whole.order_by(Scan.started_at.desc(), Scan.id.desc()).limit(1))


def _check(here: Here) -> None:
    if here.who is None or not may("reconcile", here.who, NOBODY, here.now):
        raise Forbidden("reconcile")
