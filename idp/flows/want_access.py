"""What is wanted of an account in one system, and the task that brings it about (design, decisions 8 and 10).

Wanted state stands in the account's link to the system.  Every difference is a new revision and a task with a
deadline in working days, written in the same transaction; an open task for an older revision is superseded.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connectors.base import BY_HAND, MANUAL
from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.work import CLOSING, OPENING, Work, leave_work
from idp.flows.write_person import home_address
from idp.models import Account, Department, Link, Order, Person, Task
from policies.access import Right
from policies.affiliations import Affiliation, OrderVersion
from policies.deadlines import Deadline, counted_from, deadline, local_day
from policies.leaves import was_away
from policies.naming import display_name

TO_DO = ("waiting", "manual", "failed")


def want_access(here: Here, person: Person, account: Account, right: Right, cause: Order | None) -> Task | None:
    """Make `right` the wanted state; the new task, or None when nothing changes."""
    link = db.session.scalar(sa.select(Link).where(Link.account_id == account.id, Link.system == right.system))
    attributes = wanted_attributes(here, person, account, right)
    if link is None:
        if not right.active:
            return None
        link = _new_link(account, right)
    elif link.active == right.active and (not right.active or _same_look(link.attributes, attributes)):
        return None
    return _revise(here, account, link, right.active, attributes, cause or _order_behind(here, right))


def want_everywhere(here: Here, person: Person, account: Account) -> None:
    """Have every system that the account has follow what is known of its person now (3.6)."""
    links = sa.select(Link).where(Link.account_id == account.id, Link.active.is_(True)).order_by(Link.system)
    for link in db.session.scalars(links).all():
        attributes = link.attributes | _of_person(here, person, account, link.system)
        if not _same_look(link.attributes, attributes):
            _revise(here, account, link, True, attributes, None)


def _same_look(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Absent and empty are one thing, as in the targets (`connectors.plan`)."""
    return {name: value for name, value in one.items() if value} == {
        name: value for name, value in other.items() if value
    }


def _revise(
    here: Here, account: Account, link: Link, active: bool, attributes: dict[str, Any], order: Order | None
) -> Task:
    """A new revision of what is wanted, and its task."""
    before = {"active": link.active} | (link.attributes if link.active else {})
    action = "close" if not active else "change" if link.active and link.applied_revision else "open"
    # before the link changes: workers lock a task first, then its link
    overtaken = _supersede(here, account, link) if link.revision else None
    link.revision += 1
    link.active = active
    if active:  # a closed account keeps the looks of its last day
        link.attributes = attributes
    after = {"active": link.active} | (link.attributes if link.active else {})
    return _new_task(here, account, link, action, order, _differences(before, after), overtaken)


def want_again(
    here: Here, account: Account, link: Link, missing: bool = False, differing: Sequence[str] | None = None
) -> None:
    """Have a worker compare the target with what is wanted there once more, unless that is to be done anyway.

    An officer, who does it by hand, is told what is `missing` or `differing` there; with nothing to tell there is no task.
    """
    same = (Task.account_id == account.id, Task.system == link.system)
    if db.session.scalar(sa.select(sa.exists().where(*same, Task.status.in_(TO_DO)))):
        return
    told = _told_to_officer(link, missing, differing) if is_by_hand(here, link.system) else {}
    if told or not is_by_hand(here, link.system):
        action = "open" if missing and told else "change" if link.active else "close"
        _new_task(here, account, link, action, None, told)


def _told_to_officer(link: Link, missing: bool, differing: Sequence[str] | None) -> dict[str, Any]:
    """What to enter there, name by name; of what stands there now, only whether it is open is known."""
    if not link.active:
        return {"active": [True, False]} if differing is not None else {}
    names = link.attributes.keys() if missing else set(differing or ()) & link.attributes.keys()
    told = {name: [None, link.attributes[name]] for name in sorted(names) if link.attributes[name]}
    return told | ({"active": [False, True]} if missing or "active" in (differing or ()) else {})


def wanted_attributes(here: Here, person: Person, account: Account, right: Right) -> dict[str, Any]:
    """How the account should look in a system, in the connectors' canonical names (`connectors.base`)."""
    affiliation = right.affiliation
    known = _of_person(here, person, account, right.system)
    known |= {"programs": list(right.programs), "report_sections": list(right.report_sections)}
    return known | (_of_affiliation(here, affiliation) if affiliation else {})


def _of_person(here: Here, person: Person, account: Account, system: str) -> dict[str, Any]:
    return {
        "login": account.login,
        "email": account.email,
        "given_name": person.given,
        "family_name": person.family,
        "patronymic": person.patronymic or "",
        "display_name": display_name(person.given, person.family, person.patronymic),
        "language": account.language,
        "phone": person.work_phone or "",
        "mobile_phone": person.mobile_phone or "",
        "duties": person.duties or "",
        "employee_no": person.employee_no or "",
        "home_address": _mark_of_address(here, person, system),
    }


def _mark_of_address(here: Here, person: Person, system: str) -> str:
    """Where somebody lives stays sealed: what is wanted holds a mark that changes with it, and only for the systems
    that the profile lets learn it.  The desk shows the address itself to their officers."""
    rule = next((one for one in here.service.profile.systems if one.code == system), None)
    home = home_address(here, person) if rule and "address" in rule.claims else {}
    return here.service.vault.fingerprint(f"address/{person.id}/{sorted(home.items())}")[:12] if home else ""


def _of_affiliation(here: Here, affiliation: Affiliation) -> dict[str, Any]:
    return {
        "affiliation": affiliation.kind.value,
        "department": affiliation.department or "",
        "department_name": _name_of(here, affiliation.department) if affiliation.department else "",
        "title": affiliation.position or "",
        "student_group": affiliation.group or "",
    }


def _name_of(here: Here, department: str) -> str:
    """Out of the profile; of what has left it, the name it had."""
    for one in here.service.profile.departments:
        if one.code == department:
            return one.names.ru
    names = db.session.scalar(sa.select(Department.names).where(Department.code == department)) or {}
    return str(names.get("ru", ""))


def _new_link(account: Account, right: Right) -> Link:
    link = Link(account_id=account.id, system=right.system, revision=0, active=False, attributes={}, applied_revision=0)
    db.session.add(link)
    return link


def _order_behind(here: Here, right: Right) -> Order | None:
    """The order a right rests on, or the one that ended it; none when a leave ran out or an officer decided after it,
    as today is what counts then."""
    behind: OrderVersion | None = None
    if right.affiliation is not None and not was_away(right.affiliation, local_day(here.now, here.service.zone)):
        behind = right.affiliation.opened_by if right.active else right.affiliation.closed_by
    if behind is None:
        return None
    order = db.session.scalar(sa.select(Order).where(Order.order_id == behind[0], Order.version == behind[1]))
    if order is None or right.decided_on is None:
        return order
    return order if (order.effective_on or order.approved_on) >= right.decided_on else None


def _new_task(
    here: Here, account: Account, link: Link, action: str, order: Order | None, changes: dict[str, Any],
    overtaken: sa.Row[Any] | None = None,
) -> Task:  # fmt: skip
    by_hand = is_by_hand(here, link.system)
    due = _due(here, action, order)
    unfinished = overtaken if overtaken and "close" not in (action, overtaken.action) else None
    late = unfinished if unfinished and unfinished.due_at < due.due_at else None
    task = Task(
        account_id=account.id,
        system=link.system,
        order_pk=order.id if order else unfinished.order_pk if unfinished else None,  # still to be carried out
        revision=link.revision,
        action=action,
        status="manual" if by_hand else "waiting",
        priority=CLOSING if action == "close" else OPENING,
        changes=_together(unfinished.changes, changes) if unfinished else changes,
        created_at=here.now,
        run_at=None if by_hand else here.now,
        due_on=late.due_on if late else due.due_on,  # what was to be done is still to be done by then
        due_at=late.due_at if late else due.due_at,
        due_basis=late.due_basis if late else due.as_json(),
    )
    db.session.add(task)
    db.session.flush()
    record(here, f"access-{action}-wanted", account, subject=f"system/{link.system}", **_sides(changes))
    if not by_hand:
        leave_work(work_of(task))
    return task


def work_of(task: Task) -> Work:
    """The task as workers are told of it: a queue per system."""
    return Work("task", task.id, task.run_at or task.created_at, task.priority, task.system)


def is_by_hand(here: Here, system: str) -> bool:
    """Whether officers keep it; what left the profile has no connector any more."""
    return next((one.kind for one in here.service.profile.systems if one.code == system), MANUAL) in BY_HAND


def _supersede(here: Here, account: Account, link: Link) -> sa.Row[Any] | None:
    """Whatever was still to be done for an older revision is not to be done any more; what that was."""
    return db.session.execute(
        sa.update(Task)
        .where(Task.account_id == account.id, Task.system == link.system, Task.status.in_(TO_DO))
        .values(status="superseded", run_at=None, done_at=here.now)
        .returning(Task.action, Task.order_pk, Task.changes, Task.due_on, Task.due_at, Task.due_basis)
        .execution_options(synchronize_session=False)
    ).one_or_none()


def _due(here: Here, action: str, order: Order | None) -> Deadline:
    service = here.service
    today = local_day(here.now, service.zone)
    start = counted_from(action == "open", order.approved_on, order.effective_on) if order else today
    return deadline(start, service.profile.rules.working_days, service.calendar, service.zone)


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = sorted(before.keys() | after.keys()) if after["active"] else ["active"]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _together(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """What two tasks change, one after the other; what comes back to where it was is no change."""
    pairs = {name: [first.get(name, pair)[0], pair[1]] for name, pair in (first | then).items()}
    return {name: pair for name, pair in sorted(pairs.items()) if pair[0] != pair[1]}


def _sides(changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "before": {name: pair[0] for name, pair in changes.items()},
        "after": {name: pair[1] for name, pair in changes.items()},
    }
