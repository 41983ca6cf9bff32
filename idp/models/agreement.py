"""Who accepted which text, when and from where (6.2, 6.3)."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Acceptance(Identified, Base):
    """One account's acceptance of one text, named by the text's hash."""

    __tablename__ = "acceptance"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    version: Mapped[str]
    sha256: Mapped[str]
    accepted_at: Mapped[datetime]
    address: Mapped[str | None]

    __table_args__ = (UniqueConstraint("account_id", "sha256"),)
