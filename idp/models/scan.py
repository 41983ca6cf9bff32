"""Looking through a system, and what was found there."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Leased


class Scan(Identified, Leased, Base):
    """One pass over all accounts of a system, page by page: `cursor` is where it goes on, also after a crash."""

    __tablename__ = "scan"

    system: Mapped[str] = mapped_column(ForeignKey("system.code"), index=True)
    asked_by: Mapped[str]
    started_at: Mapped[datetime]
    cursor: Mapped[str | None]
    pages: Mapped[int] = mapped_column(default=0)
    accounts: Mapped[int] = mapped_column(default=0)  # that the system has told of
    state: Mapped[str]  # running, done, shrunk, failed
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_scan_running",
            "system",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )


class Finding(Identified, Base):
    """Something wrong between a system and what is wanted there, as one scan saw it (`policies.reconciliation`)."""

    __tablename__ = "finding"

    scan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scan.id"), index=True)
    system: Mapped[str] = mapped_column(ForeignKey("system.code"), index=True)
    kind: Mapped[str]  # policies.reconciliation.Found
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    remote_id: Mapped[str | None]
    details: Mapped[dict[str, Any]]  # names of what differs; login and address of what is nobody's
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    outcome: Mapped[str | None]  # mended, adopted, left
    reason: Mapped[str | None]
