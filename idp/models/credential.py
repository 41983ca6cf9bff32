"""What an account proves itself with, and the one-time links that lead to it."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Credential(Identified, Base):
    """A password, present or past (5.1: none may ever come back).  One present password per account.

    All passwords of an account are hashed with one salt, so that one evaluation tells whether a new one was ever used.
    """

    __tablename__ = "credential"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    password_hash: Mapped[str]  # Argon2id, PHC string
    set_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_credential_present",
            "account_id",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )


class Activation(Identified, Base):
    """A one-time link with which the owner of an account chooses the first password (4.4, 5.1)."""

    __tablename__ = "activation"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
