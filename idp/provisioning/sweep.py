"""Finding what is due: the safety net under everything that wakes workers, so nothing hangs on a queue's memory."""

from datetime import datetime

import sqlalchemy as sa

from idp.db import reader
from idp.flows.work import CLOSING, MESSAGES, ORDERS, Work
from idp.models import Message, Order, Person, Task


def due_work(now: datetime, limit: int) -> list[Work]:
    """What can be done at `now`, most urgent first, at most `limit` of each kind."""
    with reader().connect() as connection:
        found = [
            *(Work("task", r.id, r.run_at, r.priority, r.system, f"{r.system}/{r.account_id}") for r in connection.execute(_tasks(now, limit))),
            *(Work("order", r.id, r.run_at, ORDERS, "orders", f"order/{r.order_id}") for r in connection.execute(_orders(now, limit))),
            *(Work("person", r.id, r.review_at, CLOSING, "orders", f"person/{r.id}") for r in connection.execute(_people(now, limit))),
            *(Work("message", r.id, r.run_at, MESSAGES, "mail-out", f"message/{r.id}") for r in connection.execute(_messages(now, limit))),
        ]  # fmt: skip
    return sorted(found, key=lambda work: (work.priority, work.run_at))


def _tasks(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    columns = (Task.id, Task.run_at, Task.priority, Task.system, Task.account_id)
    return (
        sa.select(*columns)
        .where(Task.status == "waiting", Task.run_at <= now, _free(Task, now))
        .order_by(Task.priority, Task.run_at)
        .limit(limit)
    )


def _orders(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(Order.id, Order.run_at, Order.order_id).where(Order.run_at <= now).order_by(Order.run_at).limit(limit)


def _people(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(Person.id, Person.review_at).where(Person.review_at <= now).order_by(Person.review_at).limit(limit)


def _messages(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    due = sa.and_(Message.run_at <= now, _free(Message, now))
    return sa.select(Message.id, Message.run_at).where(due).order_by(Message.run_at).limit(limit)


def _free(table: type[Task] | type[Message], now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(table.lease_until.is_(None), table.lease_until <= now)
