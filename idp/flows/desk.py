"""What waits for an officer: locked logins, tasks by hand, people without a password (reading only).

Every row passes the permissions table: an officer sees what they may act on and nothing else.
"""

from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.departments import departments_ever, departments_now
from idp.flows.here import Here
from idp.flows.one_time_links import waits
from idp.flows.reset_factors import waiting_resets
from idp.flows.write_person import home_address
from idp.models import Account, Activation, AffiliationRow, Department, Lockout, Order, Person, System, Task
from policies.deadlines import standing
from policies.naming import display_name
from policies.permissions import Appointment, Whom, is_current, may

MOST_ROWS = 200


def desk(here: Here, language: str) -> dict[str, Any]:
    """Lockouts, tasks and people waiting, as the desk shows them to the officer who asks."""
    return {
        "lockouts": _lockouts(here, language),
        "tasks": _tasks(here, language),
        "waiting": _waiting(here),
        "resets": waiting_resets(here),
        "most": MOST_ROWS,
    }


def _may(here: Here, act: str, account: Account, departments: frozenset[str], system: str | None = None) -> bool:
    return here.who is not None and may(act, here.who, Whom(str(account.id), departments, system), here.now)


def _within_reach(here: Here, by_system: bool = False) -> sa.ColumnElement[bool]:
    """Before the rows are counted off: what is far from the officer's departments (and systems) must not crowd out
    their own.  Wider than the permissions table, which decides."""
    current = [one for one in here.who.appointments if is_current(one, here.now)] if here.who else []
    return sa.or_(sa.false(), *(_reach(one, by_system) for one in current if one.role in ("officer", "admin")))


def _reach(one: Appointment, by_system: bool) -> sa.ColumnElement[bool]:
    if one.role == "admin":
        return sa.true()
    ever = sa.select(AffiliationRow.person_id).where(AffiliationRow.department == one.department)
    department = Person.id.in_(ever) if one.department else sa.true()
    return sa.and_(department, Task.system == one.system) if by_system and one.system else department


def _lockouts(here: Here, language: str) -> list[dict[str, Any]]:
    first = sa.select(Lockout.login, sa.func.min(Lockout.locked_at).label("locked_at")).group_by(Lockout.login)
    locks = first.where(Lockout.locked_at.is_not(None)).subquery()
    rows = db.session.execute(
        sa.select(Account, Person, locks.c.locked_at)
        .join(Person, Person.id == Account.person_id)
        .join(locks, locks.c.login == Account.login)
        .where(_within_reach(here))
        .order_by(locks.c.locked_at)
        .limit(MOST_ROWS)
    ).all()
    of = departments_now(here, (row.Person.id for row in rows))
    names = {row.code: row.names[language] for row in db.session.execute(sa.select(Department.code, Department.names))}
    return [
        {
            "id": account.id,
            "login": account.login,
            "display_name": display_name(person.given, person.family, person.patronymic),
            "department": ", ".join(names[code] for code in sorted(of.get(person.id, ()))),
            "locked_at": locked_at,
        }
        for account, person, locked_at in rows
        if _may(here, "lift-lockout", account, of.get(person.id, frozenset()))
    ]


def _tasks(here: Here, language: str) -> list[dict[str, Any]]:
    rows = db.session.execute(
        sa.select(Task, Account, Person, System.names, Order.number)
        .join(Account, Account.id == Task.account_id)
        .join(Person, Person.id == Account.person_id)
        .join(System, System.code == Task.system)
        .join(Order, Order.id == Task.order_pk, isouter=True)
        .where(Task.status.in_(["manual", "failed"]), _within_reach(here, by_system=True))
        .order_by(Task.due_at, Task.priority, Task.id)
        .limit(MOST_ROWS)
    ).all()
    of = departments_ever(row.Person.id for row in rows)
    return [
        {
            "id": task.id,
            "person": display_name(person.given, person.family, person.patronymic),
            "login": account.login,
            "system": names[language],
            "action": task.action,
            "due_on": task.due_on,
            "standing": standing(task.due_at, None, here.now, here.service.zone).value,
            "details": [
                (name, before, after) for name, (before, after) in sorted(_readable(here, task, person).items())
            ],
            "order_number": number,
        }
        for task, account, person, names, number in rows
        if _may(here, "confirm-task", account, of.get(person.id, frozenset()), task.system)
    ]


def _readable(here: Here, task: Task, person: Person) -> dict[str, Any]:
    """The changes of a task, with the home address itself in place of the mark that stands for it (3.4, 3.6)."""
    if "home_address" not in task.changes:
        return task.changes
    return task.changes | {"home_address": [None, ", ".join(home_address(here, person).values())]}


def _waiting(here: Here) -> list[dict[str, Any]]:
    issued = Account.id.in_(sa.select(Activation.account_id)).label("issued")
    rows = db.session.execute(
        sa.select(Account, Person, Activation, issued)
        .join(Person, Person.id == Account.person_id)
        .join(Activation, sa.and_(Activation.account_id == Account.id, *waits(Activation, here.now)), isouter=True)
        .where(Account.activated_at.is_(None), Account.closed_at.is_(None), _within_reach(here))
        .order_by(Account.created_at)
        .limit(MOST_ROWS)
    ).all()
    of = departments_now(here, (row.Person.id for row in rows))
    return [
        {
            "id": account.id,
            "name": display_name(person.given, person.family, person.patronymic),
            "login": account.login,
            "has_address": bool(person.personal_email),
            "reason": _reason(person, activation, issued),
            "slip": activation.id if activation and activation.slip and activation.handed_over_at is None else None,
        }
        for account, person, activation, issued in rows
        if _may(here, "issue-activation", account, of.get(person.id, frozenset()))
    ]


def _reason(person: Person, activation: Activation | None, issued: bool) -> str:
    """Why somebody has no password yet; `activation` is what they can still choose it by, `issued`: they had some."""
    if activation is not None and activation.slip:
        return "slip-handed-over" if activation.handed_over_at else "slip-printed"
    if not person.personal_email:
        return "no-address"
    if activation is None:
        return "expired" if issued else "not-issued"
    return "not-activated"
