"""An officer gives one account a system beyond the rules, or forbids it one (3.1, 4.4, 6.7).

The systems follow in the same transaction, and so does every sign-in: what is forbidden is closed at once.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.access_decisions import decisions_about, may_decide
from idp.flows.departments import departments_of
from idp.flows.follow_orders import follow_orders
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.write_person import hold_person
from idp.models import AccessDecision, Account, OrderLine
from policies.access_decisions import Decision, objection
from policies.deadlines import local_day
from policies.remarks import remark


def decide_access(here: Here, account: Account, asked: Decision, reason: str, document: str) -> Refusal | None:
    """Give or forbid what `asked` says; `document`: what it is based on, if anything.

    Refusals: ``decision-reason-required``, ``system-required`` (one that the profile does not name), ``no-order`` (no
    order names the person), and those of `policies.access_decisions.Objection`.  Raises `Forbidden` for officers of
    other departments and systems, and for oneself.
    """
    system = next((one for one in here.service.profile.systems if one.code == asked.system), None)
    if system is None or (asked.program is not None and asked.program not in system.programs):
        return Refusal("system-required")
    if not may_decide(here, account, asked.system, departments_of(here, account)):
        raise Forbidden("decide-access")
    told = remark(reason)
    if not told:
        return Refusal("decision-reason-required")
    person = hold_person(account.person_id)  # of several at once each sees what the one before has decided
    if not db.session.scalar(sa.select(sa.exists().where(OrderLine.person_id == person.id))):
        return Refusal("no-order")
    against = objection(asked, decisions_about(here, account.id), local_day(here.now, here.service.zone))
    if against is not None:
        return Refusal(against.value)
    row = _keep(here, account, asked, told, remark(document) or None)
    _tell(here, account, row)
    follow_orders(here, person)
    return None


def lift_decision(here: Here, account: Account, row: AccessDecision, reason: str) -> Refusal | None:
    """End a decision before its time: take back what was given, or allow again what was forbidden.

    Refusals: ``decision-reason-required``, ``gone`` (lifted or run out).  Raises `Forbidden` as `decide_access`.
    """
    if row.account_id != account.id or not may_decide(here, account, row.system, departments_of(here, account)):
        raise Forbidden("decide-access")
    told = remark(reason)
    if not told:
        return Refusal("decision-reason-required")
    today = local_day(here.now, here.service.zone)
    lifted = (
        sa.update(AccessDecision)
        .where(AccessDecision.id == row.id, AccessDecision.lifted_at.is_(None))
        .where(sa.or_(AccessDecision.ends_on.is_(None), AccessDecision.ends_on >= today))
        .values(lifted_at=here.now, lifted_by=_login(here), lifted_because=told)
        .returning(AccessDecision.id)
        .execution_options(synchronize_session=False)
    )
    person = hold_person(account.person_id)
    if db.session.execute(lifted).first() is None:
        return Refusal("gone")
    db.session.refresh(row)
    act = "given-access-taken-back" if row.gives else "access-allowed-again"
    record(here, act, account, subject=f"system/{row.system}", before=_said(row), after={"reason": told})
    if not row.gives:
        _mail(here, account, row, "access-allowed", f"access-allowed/{row.id}", told)
    follow_orders(here, person)
    return None


def _keep(here: Here, account: Account, asked: Decision, reason: str, document: str | None) -> AccessDecision:
    row = AccessDecision(
        account_id=account.id,
        system=asked.system,
        program=asked.program,
        gives=asked.gives,
        reason=reason,
        document=document,
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        decided_at=here.now,
        decided_by=_login(here),
    )
    db.session.add(row)
    db.session.flush()
    return row


def _tell(here: Here, account: Account, row: AccessDecision) -> None:
    """On record, and of a prohibition by mail."""
    act = "access-given" if row.gives else "access-forbidden"
    record(here, act, account, subject=f"system/{row.system}", before=None, after=_said(row))
    if not row.gives:
        _mail(here, account, row, "access-forbidden", f"access-forbidden/{row.id}", row.reason, row.ends_on)


def _mail(
    here: Here, account: Account, row: AccessDecision, template: str, key: str, reason: str, last: date | None = None
) -> None:
    named = next((one.names.to(account.language) for one in here.service.profile.systems if one.code == row.system), "")
    system = f"{named or row.system} · {row.program}" if row.program else named or row.system
    told: dict[str, Any] = {"system": system, "reason": reason} | ({"last_day": last} if last else {})
    send_message(here, account, template, key, **told)


def _said(row: AccessDecision) -> dict[str, object]:
    told = {
        "program": row.program,
        "reason": row.reason,
        "document": row.document,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
    }
    return {name: value for name, value in told.items() if value is not None}


def _login(here: Here) -> str:
    return here.actor.removeprefix("account/")
