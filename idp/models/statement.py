"""What people say of themselves (3.6): contacts, name, scope of duties.  Kept beside the orders, and never changed."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Statement(Identified, Base):
    """One field as its person wants it.  Of those confirmed the newest counts, unless an order is newer still
    (`policies.profile_changes.newest`)."""

    __tablename__ = "statement"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    field: Mapped[str]  # policies.profile_changes.WAYS
    value: Mapped[bytes] = mapped_column(LargeBinary)  # JSON, sealed for `statement/<id>`
    state: Mapped[str]  # waiting confirmed refused withdrawn
    stated_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]  # login
    reason: Mapped[str | None]  # of a refusal

    __table_args__ = (
        Index(
            "uq_statement_waiting",
            "person_id",
            "field",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_statement_state_field", "state", "field"),
    )
