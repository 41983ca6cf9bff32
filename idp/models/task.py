"""Work to be done outside: tasks (converge a link) and messages (one mail each).  The row is the outbox and the truth."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Due:
    """Rows with something to do when `run_at` has come; None: nothing (more) to do."""

    run_at: Mapped[datetime | None] = mapped_column(index=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


class Leased(Due):
    """Rows whose work leaves the database, so that no transaction can be held over it (`idp.provisioning.lease`).

    Whoever claims a due row holds a lease on it and finishes fenced by `owner` and `attempt`.
    """

    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)


class Task(Identified, Leased, Base):
    """Bring one account in one system to the wanted state by a deadline (3.5, 3.7)."""

    __tablename__ = "task"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    system: Mapped[str] = mapped_column(ForeignKey("system.code"))
    order_pk: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order.id"), index=True)
    revision: Mapped[int]
    action: Mapped[str]  # open, change, close
    status: Mapped[str]  # waiting, manual, done, superseded, failed
    priority: Mapped[int]  # smaller goes first; closing is 0
    changes: Mapped[dict[str, Any]]  # name -> [before, after], as planned when the task was written
    created_at: Mapped[datetime]
    first_tried_at: Mapped[datetime | None]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    due_basis: Mapped[dict[str, Any]]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    note: Mapped[str | None]
    read_back: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index(
            "uq_task_open",
            "account_id",
            "system",
            unique=True,
            sqlite_where=text("status IN ('waiting', 'manual', 'failed')"),
            postgresql_where=text("status IN ('waiting', 'manual', 'failed')"),
        ),
        Index("ix_task_due", "status", "due_at"),
        Index("ix_task_account_id_system", "account_id", "system"),
    )


class Attachment(Identified, Base):
    """A file with an officer's word that a task is done.  The content is sealed."""

    __tablename__ = "attachment"

    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("task.id"), unique=True)
    name: Mapped[str]
    media_type: Mapped[str]  # by its first bytes
    size: Mapped[int]  # bytes
    sha256: Mapped[str]  # in hex
    content: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class Message(Identified, Leased, Base):
    """One mail to one person, sent once.  The text is sealed and gone after sending: it may carry a link."""

    __tablename__ = "message"

    key: Mapped[str] = mapped_column(unique=True)  # what makes it this message and no other
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    to: Mapped[str]
    template: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
