"""Finding what is due: the safety net under everything that wakes workers, so nothing hangs on a queue's memory."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from idp.db import reader
from idp.flows.tell_receivers import QUEUE
from idp.flows.work import CLOSING, MESSAGES, OPENING, ORDERS, SCANS, Work
from idp.models import EventNotice, LockNotice, LogoutNotice, Message, Order, Person, RecoveryRequest, Scan, Task
from idp.provisioning.lease import claimable

ORDERS_QUEUE, MAIL_QUEUE, LOGOUT_QUEUE, EVENTS_QUEUE = "orders", "mail-out", "logout", QUEUE


def due_work(now: datetime, queue: str, limit: int) -> list[Work]:
    """What `queue` can do at `now`, most urgent first."""
    finders = FINDERS.get(queue, (_tasks, _scans))
    with reader().connect() as connection:
        rows = [row for find in finders for row in connection.execute(find(now, queue).limit(limit))]
    works = [Work(row.kind, row.id, row.run_at, row.priority, queue) for row in rows]
    return sorted(works, key=lambda work: (work.priority, work.run_at))[:limit]


def _tasks(now: datetime, queue: str) -> sa.Select[Any]:
    due = _rows("task", Task.id, Task.run_at, Task.priority).where(Task.system == queue, claimable(Task, now))
    return due.order_by(Task.priority, Task.run_at)


def _scans(now: datetime, queue: str) -> sa.Select[Any]:
    due = _rows("scan", Scan.id, Scan.run_at, sa.literal(SCANS)).where(Scan.system == queue, claimable(Scan, now))
    return due.order_by(Scan.run_at)


def _orders(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("order", Order.id, Order.run_at, sa.literal(ORDERS)).where(Order.run_at <= now)
    return due.order_by(Order.run_at)


def _people(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("person", Person.id, Person.review_at, sa.literal(CLOSING)).where(Person.review_at <= now)
    return due.order_by(Person.review_at)


def _messages(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("message", Message.id, Message.run_at, sa.literal(MESSAGES)).where(claimable(Message, now))
    return due.order_by(Message.run_at)


def _recoveries(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("recovery", RecoveryRequest.id, RecoveryRequest.run_at, sa.literal(OPENING))
    return due.where(RecoveryRequest.run_at <= now).order_by(RecoveryRequest.run_at)


def _locks(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("lock", LockNotice.id, LockNotice.run_at, sa.literal(MESSAGES))
    return due.where(LockNotice.run_at <= now).order_by(LockNotice.run_at)


def _notices(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("logout", LogoutNotice.id, LogoutNotice.run_at, sa.literal(CLOSING))
    return due.where(claimable(LogoutNotice, now)).order_by(LogoutNotice.run_at)


def _events(now: datetime, _queue: str) -> sa.Select[Any]:
    due = _rows("event", EventNotice.id, EventNotice.run_at, sa.literal(CLOSING))
    return due.where(claimable(EventNotice, now)).order_by(EventNotice.run_at, EventNotice.id)


def _rows(kind: str, row_id: Any, run_at: Any, priority: Any) -> sa.Select[Any]:
    return sa.select(sa.literal(kind).label("kind"), row_id, run_at.label("run_at"), priority.label("priority"))


FINDERS: Mapping[str, tuple[Callable[[datetime, str], sa.Select[Any]], ...]] = {
    ORDERS_QUEUE: (_people, _orders),
    MAIL_QUEUE: (_messages, _recoveries, _locks),
    LOGOUT_QUEUE: (_notices,),
    EVENTS_QUEUE: (_events,),
}
"""What each queue does; all others are systems, which have tasks and are looked through."""
