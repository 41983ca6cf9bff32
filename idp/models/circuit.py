"""Systems in which nothing works at the moment."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class Circuit(Base):
    """Failures of a system in a row; while it is open, until `retry_at`, none of its tasks is claimed.  The first thing
    that works takes the row away."""

    __tablename__ = "circuit"

    system: Mapped[str] = mapped_column(ForeignKey("system.code"), primary_key=True)
    failures: Mapped[int]
    reason: Mapped[str]
    opened_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
