"""Clients that are to be told that a session has ended."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class LogoutNotice(Identified, Base):
    """One client to be told of the end of one session (OIDC Back-Channel Logout, 2.5): tried until it is told.

    `run_at` is when to try next; `attempt` fences two workers, like a task's.
    """

    __tablename__ = "logout_notice"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("session.id"))
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    status: Mapped[str]  # waiting, told, failed
    attempt: Mapped[int]
    run_at: Mapped[datetime | None] = mapped_column(index=True)
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
