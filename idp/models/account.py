"""Accounts: one per person, never deleted, login and address never given to anybody else."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Account(Identified, Base):
    """The right to sign in between `opens_at` and `closes_at`.

    Both moments are derived from the orders in advance, so nothing has to run for a dismissal to take effect;
    `closed_at` tells when what follows from it (sessions, tokens, targets) was set going.
    """

    __tablename__ = "account"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), unique=True)
    login: Mapped[str] = mapped_column(unique=True)  # canonical (policies.naming)
    sub: Mapped[str] = mapped_column(unique=True)  # random; what clients know the account by
    email: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def open_at(self, now: datetime) -> bool:
        """Whether the account may be used at `now`."""
        return self.opens_at is not None and self.opens_at <= now and (self.closes_at is None or now < self.closes_at)
