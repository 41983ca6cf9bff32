"""Looking through one system, page by page (connector contract, rule 4).

Each page is asked for outside any transaction, and judged in one, fenced by the claim: what was found, which links were
seen, and where to go on.  A killed worker's page is asked for again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from connectors.base import BY_HAND, Connector, Page, Remote, TargetError, Wanted
from connectors.plan import drift
from idp.db import db, reader, unit_of_work
from idp.flows.here import Here, at_work
from idp.flows.record import record
from idp.flows.scans import mend_link, settle_finding
from idp.log import log
from idp.models import Account, Finding, Link, Scan, Task
from idp.provisioning.lease import Claim, claim, get_back
from idp.provisioning.workshop import Workshop
from policies.reconciliation import Found, Sight, is_shrunk, may_repair, verdict
from policies.retry import RetryRules, delay

PAGES_AT_ONCE = 20  # before others of the lane get their turn
MOST_FAILURES = 8  # of one page
IN_FLUX = ("waiting", "manual", "failed")


def scan_target(workshop: Workshop, scan_id: UUID) -> None:
    """Some pages of a scan that is due; does nothing when it is not, or somebody else has it."""
    for _ in range(PAGES_AT_ONCE):
        if not _one_page(workshop, scan_id):
            return


def _one_page(workshop: Workshop, scan_id: UUID) -> bool:
    """Whether there is another one to ask for now."""
    asked_at = workshop.service.clock.now()
    held = claim(Scan, scan_id, workshop.owner(), asked_at, workshop.lease)
    if held is None:
        return False
    with reader().connect() as connection:
        row = connection.execute(sa.select(Scan.system, Scan.cursor).where(Scan.id == scan_id)).one()
    connector = workshop.targets.get(row.system)
    page = _ask(connector, row.cursor)
    with unit_of_work():
        return _settle(workshop, at_work(workshop.service, "worker"), held, connector, page, asked_at)


def _ask(connector: Connector | None, cursor: str | None) -> Page | str:
    """The next page, or why there is none."""
    if connector is None:
        return "no connection is set up"
    try:
        return connector.scan(cursor, connector.capabilities.page_max)
    except TargetError as error:
        return f"{error.kind.value}: {error.detail}"
    except Exception as error:
        log.error("connector-crash", exc_info=error)
        return f"the connector failed ({type(error).__name__})"


def _settle(
    workshop: Workshop, here: Here, held: Claim, connector: Connector | None, page: Page | str, asked_at: datetime
) -> bool:
    scan: Scan | None = get_back(held, here.now)
    if scan is None:
        return False
    if isinstance(page, str) or connector is None:
        _put_off(workshop, here, scan, str(page))
        return False
    scan.failures, scan.last_error = 0, None
    _judge(here, scan, connector, page.remotes, asked_at)
    scan.pages, scan.accounts, scan.cursor = scan.pages + 1, scan.accounts + len(page.remotes), page.cursor
    if page.cursor is None:
        _finish(here, scan)
        return False
    scan.run_at = here.now
    return True


def _put_off(workshop: Workshop, here: Here, scan: Scan, reason: str) -> None:
    scan.failures, scan.last_error = scan.failures + 1, reason
    if scan.failures < MOST_FAILURES:
        scan.run_at = here.now + delay(scan.failures, workshop.chance(), RetryRules())
    else:
        _end(here, scan, "failed")


def _judge(here: Here, scan: Scan, connector: Connector, remotes: Iterable[Remote], asked_at: datetime) -> None:
    told = list(remotes)
    links = _links(scan.system, told)
    if connector.kind in BY_HAND:
        links |= _recognised(scan.system, [remote for remote in told if remote.id not in links])
    ours = {link.id for link in links.values()}
    db.session.execute(
        sa.update(Link).where(Link.id.in_(ours)).values(scan_id=scan.id).execution_options(synchronize_session=False)
    )
    busy = _in_flux(scan.system, links.values(), asked_at)
    for remote in told:
        link = links.get(remote.id)
        if link is not None and link.account_id in busy:
            continue
        found, details = _look(connector, remote, link, _is_known(remote.account_id))
        if found is not None:
            _note(here, scan, found, link.account_id if link else None, remote, details)


def _links(system: str, told: list[Remote]) -> dict[str, Link]:
    """By remote id; an account that we have not linked yet is known by the id of ours it carries."""
    ids = {remote.id for remote in told}
    rows = db.session.scalars(sa.select(Link).where(Link.system == system, Link.remote_id.in_(ids))).all()
    found = {str(link.remote_id): link for link in rows}
    carried = {
        UUID(remote.account_id): remote.id for remote in told if remote.id not in found and _is_id(remote.account_id)
    }
    unlinked = sa.select(Link).where(Link.system == system, Link.remote_id.is_(None), Link.account_id.in_(carried))
    return found | {carried[link.account_id]: link for link in db.session.scalars(unlinked)}


def _recognised(system: str, told: list[Remote]) -> dict[str, Link]:
    """Where accounts are made by hand none bears an id of ours: whose address it has tells whose it is, and is kept.

    An address is never given to another person, and nothing is written there.  Two with one address are nobody's.
    """
    addresses = [str(remote.attributes.get("email", "")).lower() for remote in told]
    once = {address: remote for address, remote in zip(addresses, told, strict=True) if addresses.count(address) == 1}
    unlinked = sa.select(Link, Account.email).join(Account, Account.id == Link.account_id)
    rows = db.session.execute(
        unlinked.where(Link.system == system, Link.remote_id.is_(None), Account.email.in_(once.keys() - {""}))
    )
    found = {}
    for link, email in rows:
        link.remote_id = once[email].id
        found[once[email].id] = link
    db.session.flush()
    return found


def _in_flux(system: str, links: Iterable[Link], asked_at: datetime) -> set[UUID]:
    """Whose task is not done, or was done since the page was asked for: the page may tell of before."""
    accounts = {link.account_id for link in links}
    tasks = sa.select(Task.account_id).where(
        Task.system == system, Task.account_id.in_(accounts), Task.status.in_(IN_FLUX)
    )
    fresh = {link.account_id for link in links if link.verified_at is not None and link.verified_at >= asked_at}
    return set(db.session.scalars(tasks)) | fresh


def _look(connector: Connector, remote: Remote, link: Link | None, known: bool) -> tuple[Found | None, dict[str, Any]]:
    """What is wrong with one account, and what to tell of it."""
    if link is None:
        shown = {name: remote.attributes.get(name) for name in ("login", "email")}
        return verdict(Sight(remote.active, twin=known)), shown
    wanted = Wanted(str(link.account_id), link.revision, link.active, link.attributes)
    differs = sorted(drift(wanted, remote, connector.capabilities)) if link.active else []
    return verdict(Sight(remote.active, True, False, link.active, bool(differs))), {"attributes": differs}


def _is_known(account_id: str) -> bool:
    return _is_id(account_id) and db.session.get(Account, UUID(account_id)) is not None


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _note(
    here: Here, scan: Scan, kind: Found, account_id: UUID | None, remote: Remote | None, details: Mapping[str, Any]
) -> None:
    told = dict(details) | ({"proposed": _owner(scan.system, details.get("email"))} if kind is Found.EXTRA else {})
    finding = Finding(
        scan_id=scan.id, system=scan.system, kind=kind.value, account_id=account_id,
        remote_id=remote.id if remote else None, details=told,
    )  # fmt: skip
    db.session.add(finding)
    db.session.flush()
    if (reason := _left_before(finding)) is not None:
        finding.settled_at, finding.settled_by, finding.outcome, finding.reason = here.now, "worker", "left", reason


def _owner(system: str, email: Any) -> str | None:
    """Whose address it has, when that person should have an account there and none is known."""
    if not isinstance(email, str) or not email:
        return None
    unlinked = sa.select(Account.login).join(Link, Link.account_id == Account.id)
    return db.session.scalar(
        unlinked.where(Account.email == email.lower(), Link.system == system, Link.remote_id.is_(None))
    )


def _left_before(finding: Finding) -> str | None:
    """The reason for which somebody let the very same be."""
    same = (
        Finding.system == finding.system, Finding.kind == finding.kind,
        Finding.account_id.is_not_distinct_from(finding.account_id),
        Finding.remote_id.is_not_distinct_from(finding.remote_id), Finding.outcome == "left",
    )  # fmt: skip
    rows = sa.select(Finding).where(*same, Finding.id != finding.id).order_by(Finding.settled_at.desc()).limit(1)
    before = db.session.scalar(rows)
    return before.reason if before is not None and before.details == finding.details else None


def _finish(here: Here, scan: Scan) -> None:
    rules = here.service.profile.rules.reconciliation
    before = db.session.scalar(
        sa.select(Scan.accounts).where(Scan.system == scan.system, Scan.state == "done")
        .order_by(Scan.finished_at.desc()).limit(1)
    )  # fmt: skip
    if is_shrunk(scan.accounts, before, rules):
        _end(here, scan, "shrunk")
        return
    for link in _unseen(scan):
        _note(here, scan, Found.MISSING, link.account_id, None, {})
    _end(here, scan, "done")
    db.session.flush()
    for kind in Found:
        _repair(here, scan, kind)


def _unseen(scan: Scan) -> Iterable[Link]:
    """Wanted open, brought about before the scan began, and nowhere to be seen."""
    busy = sa.exists().where(Task.account_id == Link.account_id, Task.system == Link.system, Task.status.in_(IN_FLUX))
    return db.session.scalars(
        sa.select(Link).where(
            Link.system == scan.system,
            Link.active.is_(True),
            Link.verified_at < scan.started_at,
            Link.scan_id.is_distinct_from(scan.id),
            ~busy,
        )
    ).all()


def _repair(here: Here, scan: Scan, kind: Found) -> None:
    findings = db.session.scalars(
        sa.select(Finding).where(Finding.scan_id == scan.id, Finding.kind == kind.value, Finding.settled_at.is_(None))
    ).all()
    if findings and may_repair(kind, len(findings), here.service.profile.rules.reconciliation):
        for finding in findings:
            settle_finding(here, finding.id, "mended")
            mend_link(here, finding)


def _end(here: Here, scan: Scan, state: str) -> None:
    scan.state, scan.finished_at, scan.run_at = state, here.now, None
    kinds = sa.select(sa.func.count(Finding.id)).where(Finding.scan_id == scan.id)
    after = {"state": state, "accounts": scan.accounts, "findings": db.session.scalar(kinds)}
    record(here, "scan-ended", subject=f"system/{scan.system}", after=after)
