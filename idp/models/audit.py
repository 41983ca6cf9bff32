"""The audit trail (6.1): append-only, each record chained to the one before, each day closed by a signed head."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class AuditRecord(Base):
    """One act: who did what to whom, value before and value after, when, from where."""

    __tablename__ = "audit_record"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(index=True)
    day: Mapped[date]
    actor: Mapped[str]
    act: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str | None]  # what was acted on, e.g. system/unet
    account_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    login: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    address: Mapped[str | None]
    request_id: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)


class AuditDay(Base):
    """The end of the chain on one day: its last record, how many there are, and, once it is over, the signature."""

    __tablename__ = "audit_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    first: Mapped[str]  # hash the day's first record continues from
    head: Mapped[str]
    last_number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    records: Mapped[int]
    signature: Mapped[str | None]  # compact JWS over day, first, head and records
