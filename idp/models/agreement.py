"""The texts of agreements, and who accepted which of them, when and from where (6.2, 6.3)."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class AgreementText(Base):
    """A text as it was in force once, in every language.  Never changed or deleted: what was accepted can be read again."""

    __tablename__ = "agreement_text"

    sha256: Mapped[str] = mapped_column(primary_key=True)  # policies.profile.AgreementTexts
    code: Mapped[str]
    version: Mapped[str]
    names: Mapped[dict[str, Any]]  # language -> name
    texts: Mapped[dict[str, Any]]  # language -> text
    kept_at: Mapped[datetime]


class Acceptance(Identified, Base):
    """One account's acceptance of one text, named by the text's hash."""

    __tablename__ = "acceptance"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    version: Mapped[str]
    sha256: Mapped[str]
    accepted_at: Mapped[datetime]
    address: Mapped[str | None]

    __table_args__ = (UniqueConstraint("account_id", "sha256"),)
