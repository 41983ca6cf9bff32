"""Appointments (3.1): who answers for which system in which department, since when and on what ground."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Officer(Identified, Base):
    """A dated appointment.  Without a department or system it covers all of them."""

    __tablename__ = "officer"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]  # officer, admin, hr, security
    department: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    system: Mapped[str | None] = mapped_column(ForeignKey("system.code"))
    from_: Mapped[datetime] = mapped_column("from_at")
    until: Mapped[datetime | None] = mapped_column("until_at")
    basis: Mapped[str]  # number and date of the order that appoints
