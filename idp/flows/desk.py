"""What waits for an officer: locked logins, tasks by hand, people without a password (reading only).

Every row passes the permissions table: an officer sees what they may act on and nothing else.
"""

from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.departments import departments_ever, departments_now
from idp.flows.here import Here
from idp.flows.write_person import home_address
from idp.models import Account, Activation, Department, Lockout, Order, Person, System, Task
from policies.deadlines import standing
from policies.naming import display_name
from policies.permissions import Whom, may

MOST_ROWS = 200


def desk(here: Here, language: str) -> dict[str, Any]:
    """Lockouts, tasks and people waiting, as the desk shows them to the officer who asks."""
    return {
        "lockouts": _lockouts(here, language),
        "tasks": _tasks(here, language),
        "waiting": _waiting(here),
    }


def _may(here: Here, act: str, account: Account, departments: frozenset[str], system: str | None = None) -> bool:
    return here.who is not None and may(act, here.who, Whom(str(account.id), departments, system), here.now)


def _lockouts(here: Here, language: str) -> list[dict[str, Any]]:
    rows = db.session.execute(
        sa.select(Account, Person, Lockout.locked_at)
        .join(Person, Person.id == Account.person_id)
        .join(Lockout, Lockout.login == Account.login)
        .where(Lockout.locked_at.is_not(None))
        .order_by(Lockout.locked_at)
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
        .where(Task.status.in_(["manual", "failed"]))
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
    usable = sa.select(Activation.account_id).where(
        Activation.used_at.is_(None), Activation.voided_at.is_(None), Activation.expires_at > here.now
    )
    rows = db.session.execute(
        sa.select(Account, Person, Account.id.in_(usable).label("usable"))
        .join(Person, Person.id == Account.person_id)
        .where(Account.activated_at.is_(None), Account.closed_at.is_(None))
        .order_by(Account.created_at)
        .limit(MOST_ROWS)
    ).all()
    of = departments_now(here, (row.Person.id for row in rows))
    return [
        {
            "id": account.id,
            "name": display_name(person.given, person.family, person.patronymic),
            "login": account.login,
            "reason": "no-address" if not person.personal_email else "not-activated" if usable else "expired",
        }
        for account, person, usable in rows
        if _may(here, "issue-activation", account, of.get(person.id, frozenset()))
    ]
