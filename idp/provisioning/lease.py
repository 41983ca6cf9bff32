"""Claiming a row for work that leaves the database, and finishing it (design, decision 8).

A claim is one atomic statement.  It ends by itself after the lease, so that work of a killed worker is found again;
whoever comes back later than that finds its claim gone and changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from idp.db import db
from idp.models import Message, Task


@dataclass(frozen=True, slots=True)
class Claim:
    """Proof of a claim: what the row must still say for the claimer to finish it."""

    table: type[Task] | type[Message]
    id: UUID
    owner: str
    attempt: int


def claim(table: type[Task] | type[Message], row_id: UUID, owner: str, now: datetime, lease: timedelta) -> Claim | None:
    """Take the row if it is due and nobody holds it; committed at once."""
    free = sa.or_(table.lease_until.is_(None), table.lease_until <= now)
    statement = (
        sa.update(table)
        .where(table.id == row_id, table.run_at <= now, free, *_alone_with_its_account(table, row_id, now))
        .values(owner=owner, attempt=table.attempt + 1, lease_until=now + lease)
        .returning(table.attempt)
    )
    with db.engine.begin() as connection:
        attempt = connection.execute(statement).scalar_one_or_none()
    return None if attempt is None else Claim(table, row_id, owner, attempt)


def finish(held: Claim, **values: Any) -> bool:
    """Give the row back with `values`, inside the running transaction; False when the claim has been lost."""
    finished = db.session.execute(
        sa.update(held.table)
        .where(held.table.id == held.id, held.table.owner == held.owner, held.table.attempt == held.attempt)
        .values(owner=None, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(finished.rowcount == 1)


def _alone_with_its_account(
    table: type[Task] | type[Message], row_id: UUID, now: datetime
) -> list[sa.ColumnElement[bool]]:
    """No two tasks of one account work on one system at a time: a superseded one may still be under way."""
    if table is Message:
        return []
    this, other = aliased(Task), aliased(Task)
    busy = sa.exists().where(
        this.id == row_id,
        other.account_id == this.account_id,
        other.system == this.system,
        other.id != this.id,
        other.lease_until > now,
    )
    return [sa.not_(busy), Task.status == "waiting"]
