"""Reports of unauthorised access (5.4, 6.5): cases for the security officer, at most one open for an account."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class MisuseReport(Identified, Base):
    """A person said that somebody else uses their account."""

    __tablename__ = "misuse_report"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    reported_at: Mapped[datetime]  # from this moment on acts under the account are not the person's own (6.5)
    way: Mapped[str]  # mail (by the link), account (signed in)
    address: Mapped[str | None]
    told: Mapped[str | None]  # what the person noticed, in their words
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]  # login
    result: Mapped[str | None]

    __table_args__ = (
        Index(
            "uq_misuse_report_open",
            "account_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_misuse_report_account_id_closed_at", "account_id", "closed_at"),
    )
