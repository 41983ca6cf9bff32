"""Claiming a row for work that leaves the database, and getting it back (design, decision 8).

A claim is one atomic statement.  It ends by itself after the lease, so that work of a killed worker is found again;
whoever comes back later than that finds its claim gone and changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from idp.db import UtcDateTime, db
from idp.models import Circuit, EventNotice, LogoutNotice, Message, Scan, Task

OTHER = aliased(Task)
# written once, before there are threads: an alias looks its columns up at the first use, and two at once spoil it for good
SAME = (OTHER.account_id == Task.account_id, OTHER.system == Task.system, OTHER.id != Task.id)
_held_until = OTHER.lease_until
EARLIER = aliased(EventNotice)
FIRST = ~sa.exists().where(
    EARLIER.receiver == EventNotice.receiver, EARLIER.topic == EventNotice.topic, EARLIER.status == "waiting",
    EARLIER.id < EventNotice.id,
)  # fmt: skip
Leased = type[Task] | type[Message] | type[LogoutNotice] | type[EventNotice] | type[Scan]


@dataclass(frozen=True, slots=True)
class Claim:
    """Proof of a claim: what the row must still say for the claimer to finish it."""

    table: Leased
    id: UUID
    owner: str
    attempt: int


def claim(table: Leased, row_id: UUID, owner: str, now: datetime, lease: timedelta) -> Claim | None:
    """Take the row if it is due and nobody holds it; committed at once."""
    values: dict[str, Any] = {"owner": owner, "attempt": table.attempt + 1, "lease_until": now + lease}
    if table is Task:
        values["first_tried_at"] = sa.func.coalesce(Task.first_tried_at, sa.literal(now, UtcDateTime()))
    free = sa.update(table).where(table.id == row_id, claimable(table, now))
    with db.engine.begin() as connection:
        attempt = connection.execute(free.values(values).returning(table.attempt)).scalar_one_or_none()
    return None if attempt is None else Claim(table, row_id, owner, attempt)


def claimable(table: Leased, now: datetime) -> sa.ColumnElement[bool]:
    """Due and held by nobody.

    No two tasks of one account work on one system at a time: one superseded meanwhile may still be under way.
    None is claimed of a system that is left alone (`flows/circuits.py`).  Of the events that one receiver is to be told
    about one account or order, the first comes first.
    """
    due = sa.and_(table.run_at <= now, sa.or_(table.lease_until.is_(None), table.lease_until <= now))
    if table is EventNotice:
        return sa.and_(due, FIRST)
    if table is not Task:
        return due
    stopped = sa.exists().where(Circuit.system == Task.system, Circuit.retry_at > now)
    return sa.and_(due, Task.status == "waiting", ~sa.exists().where(*SAME, _held_until > now), ~stopped)


def get_back(held: Claim, now: datetime) -> Any:
    """The claimed row, free again and locked for the running transaction; None when the claim has been lost."""
    row: Any = db.session.get_one(held.table, held.id, with_for_update=True)
    if (row.owner, row.attempt) != (held.owner, held.attempt) or row.lease_until <= now:
        return None
    row.owner = row.lease_until = None
    return row
