"""Accounts in systems: what is wanted there, what is there, what was last read back."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Link(Identified, Base):
    """Account x system.  `revision` counts what is wanted, `applied_revision` what the target was brought to."""

    __tablename__ = "link"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    system: Mapped[str] = mapped_column(ForeignKey("system.code"))
    revision: Mapped[int]
    active: Mapped[bool]  # wanted
    attributes: Mapped[dict[str, Any]]  # wanted
    remote_id: Mapped[str | None]
    applied_revision: Mapped[int]
    seen: Mapped[dict[str, Any] | None]  # as last read back
    verified_at: Mapped[datetime | None]
    scan_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("scan.id"))  # the last that saw it there

    __table_args__ = (UniqueConstraint("account_id", "system"),)
