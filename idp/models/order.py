"""HR orders: evidence first, kept as they came (design, decision 10)."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Due


class Order(Identified, Due, Base):
    """One version of one order.  The raw signed body stays, sealed; `state` tells how far it was carried out."""

    __tablename__ = "order"

    source: Mapped[str]
    order_id: Mapped[str]  # the sender's, shared by all versions
    version: Mapped[int]
    digest: Mapped[str]  # SHA-256 of the canonical body
    receipt: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    status: Mapped[str]  # approved, cancelled
    number: Mapped[str]
    approved_on: Mapped[date]
    effective_on: Mapped[date | None]
    effective_until: Mapped[date | None]
    immediate: Mapped[bool]
    raw: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    signature: Mapped[dict[str, Any]]  # the three webhook headers
    received_at: Mapped[datetime]
    state: Mapped[str]  # accepted scheduled applying applied partly_applied needs_review failed superseded cancelled
    note: Mapped[str | None]  # why it waits for a person: possible_duplicate, or a brake; stale
    released_at: Mapped[datetime | None]  # when that person let it go on
    released_by: Mapped[str | None]

    __table_args__ = (UniqueConstraint("source", "order_id", "version"),)

    @hybrid_property
    def held(self) -> bool:
        """Whether it waits, and counts for nothing meanwhile."""
        return self.note is not None and self.released_at is None

    @held.inplace.expression
    @classmethod
    def _held(cls) -> sa.ColumnElement[bool]:
        return sa.and_(cls.note.is_not(None), cls.released_at.is_(None))


class OrderLine(Identified, Base):
    """One person in one version of an order."""

    __tablename__ = "order_line"

    order_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"), index=True)
    line: Mapped[str]
    position: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[str]  # waiting matched created ambiguous not_found refused done
    note: Mapped[str | None]

    __table_args__ = (UniqueConstraint("order_pk", "line"),)


class OrderImport(Identified, Base):
    """Orders out of a table, looked at by somebody who may still carry them out."""

    __tablename__ = "order_import"

    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    content: Mapped[bytes] = mapped_column(LargeBinary)  # sealed


class Delivery(Base):
    """One delivery of an order by its sender, remembered by the id that all retries share."""

    __tablename__ = "delivery"

    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    order_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    received_at: Mapped[datetime] = mapped_column(index=True)
