"""How an order was carried out: per person and system the deadline, the moment done, what was read back (3.7)."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, Attachment, Order, OrderLine, Person, System, Task
from policies.deadlines import standing
from policies.naming import display_name

MOST_ORDERS = 200
MOST_TASKS = 200


def list_orders(here: Here) -> list[dict[str, Any]]:
    """The latest orders, one row each."""
    persons = sa.select(sa.func.count()).where(OrderLine.order_pk == Order.id).scalar_subquery()
    latest = sa.select(Order, persons).order_by(Order.received_at.desc(), Order.id.desc()).limit(MOST_ORDERS)
    return [
        {
            "number": order.number,
            "kind": order.kind,
            "approved_on": order.approved_on,
            "effective_on": order.effective_on,
            "state": order.state,
            "persons": count,
            "link": f"/orders/{order.id}",
        }
        for order, count in db.session.execute(latest)
    ]


def order_standing(source: str, order_id: str, version: int) -> tuple[Order, list[dict[str, Any]]] | None:
    """What the sender may know of its order: the version, and line, state and note of each person."""
    order = db.session.scalar(
        sa.select(Order).where(Order.source == source, Order.order_id == order_id, Order.version == version)
    )
    if order is None:
        return None
    columns = sa.select(OrderLine.line, OrderLine.state, OrderLine.note)
    lines = db.session.execute(columns.where(OrderLine.order_pk == order.id).order_by(OrderLine.position))
    return order, [row._asdict() for row in lines]


def execution_sheet(here: Here, order: Order, language: str) -> dict[str, Any]:
    """The sheet of one version of an order, as page and JSON show it; no sensitive fields."""
    lines = db.session.scalars(
        sa.select(OrderLine).where(OrderLine.order_pk == order.id).order_by(OrderLine.position)
    ).all()
    return {
        "order": {
            "id": str(order.id),
            "number": order.number,
            "kind": order.kind,
            "approved_on": order.approved_on,
            "effective_on": order.effective_on,
            "version": order.version,
            "state": order.state,
            "waits": order.note if order.held and order.state == "needs_review" else None,
            "released_at": order.released_at,
            "received_at": order.received_at,
            "source": order.source,
        },
        "lines": [_line(here, order, line, language) for line in lines],
    }


def _line(here: Here, order: Order, line: OrderLine, language: str) -> dict[str, Any]:
    person = db.session.get(Person, line.person_id) if line.person_id else None
    account = db.session.scalar(sa.select(Account).where(Account.person_id == line.person_id)) if person else None
    return {
        "line": line.line,
        "person": display_name(person.given, person.family, person.patronymic) if person else None,
        "login": account.login if account else None,
        "state": line.state,
        "note": line.note,
        "tasks": tasks_of(here, account, language, order) if account else [],
    }


def _standing(here: Here, task: Task) -> str | None:
    """How the task stands against its deadline; one overtaken by a later order neither kept it nor missed it."""
    if task.status == "superseded":
        return None
    return standing(task.due_at, task.done_at, here.now, here.service.zone).value


def tasks_of(here: Here, account: Account, language: str, order: Order | None = None) -> list[dict[str, Any]]:
    """What was, or is to be, done in each system: for one order by system, else for all of them, the newest first."""
    wanted = (
        sa.select(Task, System.names, Order.number, Attachment.id)
        .join(System, System.code == Task.system)
        .join(Order, Order.id == Task.order_pk, isouter=True)
        .join(Attachment, Attachment.task_id == Task.id, isouter=True)
        .where(Task.account_id == account.id)
    )
    if order is None:
        wanted = wanted.order_by(Task.created_at.desc(), Task.system).limit(MOST_TASKS)
    else:
        wanted = wanted.where(Task.order_pk == order.id).order_by(Task.system, Task.created_at)
    rows = db.session.execute(wanted)
    return [_task(here, task, names[language], number, file_id) for task, names, number, file_id in rows]


def _task(here: Here, task: Task, system: str, order_number: str | None, file_id: UUID | None) -> dict[str, Any]:
    return {
        "system": system,
        "code": task.system,
        "action": task.action,
        "order_number": order_number,
        "asked_at": task.created_at,
        "tried_at": task.first_tried_at,
        "changes": sorted(task.changes),
        "due_on": task.due_on,
        "due_basis": task.due_basis,
        "standing": _standing(here, task),
        "done_at": task.done_at,
        "done_by": task.done_by,
        "read_back": task.read_back,
        "file_id": str(file_id) if file_id else None,
        "status": task.status,
        "attempts": task.attempt,
        "last_error": task.last_error,
    }
