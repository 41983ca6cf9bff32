"""Work left for the workers, and telling them of it once it is committed (design, decision 8).

The rows are the truth; telling only shortens the wait.  A sweep finds whatever nobody was told of.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session, scoped_session

from idp.db import db
from idp.service import service

CLOSING, ORDERS, MESSAGES, OPENING, SCANS = 0, 1, 2, 3, 4  # smaller goes first


@dataclass(frozen=True, slots=True)
class Work:
    """One row that is due at `run_at`: an ``order``, a ``person``, a ``task``, a ``message``, a ``logout``, an
    ``event``, a ``recovery``, a ``lock`` or a ``scan``.

    `queue` keeps systems apart, so that a slow one holds up nobody else.
    """

    kind: str
    id: UUID
    run_at: datetime
    priority: int
    queue: str


def leave_work(work: Work) -> None:
    """Have the workers told of `work`, which is due, when the running transaction has committed."""
    db.session.info.setdefault("work", []).append(work)


def tell_after_commit(session: scoped_session[Any]) -> None:
    """Have every commit of `session` tell whoever carries out work (`Service.woken`)."""
    event.listen(session, "after_commit", _tell)
    event.listen(session, "after_rollback", _forget)


def _tell(session: Session) -> None:
    if session.in_nested_transaction():  # only a savepoint: nobody else could see the rows yet
        return
    works: list[Work] = session.info.pop("work", [])
    for wake in service().woken if works else ():
        wake(works)


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():  # what was left before a savepoint outlives its rollback
        session.info.pop("work", None)
