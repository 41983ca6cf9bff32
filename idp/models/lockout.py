"""Counters of wrong sign-ins, one per entered login, whether or not such an account exists (5.7)."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Due


class Lockout(Base):
    """How many attempts in a row this login has seen since the last right one, and whether it is locked.

    One row for everybody, and where the institution counts by device, one for each known device besides.
    """

    __tablename__ = "lockout"

    login: Mapped[str] = mapped_column(primary_key=True)  # canonical, as entered
    device: Mapped[str] = mapped_column(primary_key=True, default="")  # digest of its cookie, "" for the others
    attempts: Mapped[int]
    last_print: Mapped[str | None]  # keyed, of the last password tried; only where the same wrong one counts once
    last_at: Mapped[datetime]
    locked_at: Mapped[datetime | None] = mapped_column(index=True)


class KnownDevice(Base):
    """A browser that the person has wholly signed in with; kept where the institution counts by device."""

    __tablename__ = "known_device"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)  # of its cookie
    since: Mapped[datetime]


class LockNotice(Identified, Due, Base):
    """A lock that nobody was told of yet; whose, if anybody's.  A worker tells, then it is gone."""

    __tablename__ = "lock_notice"

    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    address: Mapped[str | None]
    request_id: Mapped[str]
