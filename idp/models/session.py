"""Sign-in sessions.  The browser holds an opaque id, the database its digest."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Session(Identified, Base):
    """One browser in which an account has signed in."""

    __tablename__ = "session"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    started_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    amr: Mapped[list[str]]  # how the person proved themselves (RFC 8176)
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    address: Mapped[str | None]
    agent: Mapped[str]
    device_digest: Mapped[str | None]  # of the cookie by which a browser is known again
