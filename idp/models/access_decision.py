"""What officers decided about one account and one system, beyond the rules (6.7)."""

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class AccessDecision(Identified, Base):
    """A system, or one program of it, given or forbidden (`policies.access_decisions`).  Never deleted: it is lifted."""

    __tablename__ = "access_decision"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    system: Mapped[str] = mapped_column(ForeignKey("system.code"))
    program: Mapped[str | None]
    gives: Mapped[bool]  # else it forbids
    reason: Mapped[str]
    document: Mapped[str | None]  # what it is based on: an application, or the act of 4.4
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]  # login
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lifted_because: Mapped[str | None]
