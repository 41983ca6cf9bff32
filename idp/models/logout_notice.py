"""Clients that are to be told that a session has ended."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Leased


class LogoutNotice(Identified, Leased, Base):
    """One client to be told of the end of one session (OIDC Back-Channel Logout, 2.5): tried until it is told."""

    __tablename__ = "logout_notice"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("session.id"))
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    status: Mapped[str] = mapped_column(default="waiting")  # waiting, told, failed
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
