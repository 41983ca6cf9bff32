"""Counters of wrong sign-ins, one per entered login, whether or not such an account exists (5.7)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class Lockout(Base):
    """How many attempts in a row this login has seen since the last right one, and whether it is locked."""

    __tablename__ = "lockout"

    login: Mapped[str] = mapped_column(primary_key=True)  # canonical, as entered
    attempts: Mapped[int]
    last_at: Mapped[datetime]
    locked_at: Mapped[datetime | None] = mapped_column(index=True)
