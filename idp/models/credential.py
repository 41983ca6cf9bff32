"""What an account proves itself with, the one-time links that lead to it, and the requests for them."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Due


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


class OneTimeLink(Identified):
    """Columns of links that work once.  At most one of an account and kind is usable (`idp/flows/one_time_links.py`)."""

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]


class Activation(OneTimeLink, Base):
    """A link, or the code on a printed slip, with which the owner of an account chooses the first password (4.4, 5.1)."""

    __tablename__ = "activation"

    issued_by: Mapped[str]
    slip: Mapped[bool] = mapped_column(default=False)
    handed_over_at: Mapped[datetime | None]  # a slip works from then on


class Recovery(OneTimeLink, Base):
    """A link with which the owner of an account chooses a new password for a forgotten one (4.2, 4.3)."""

    __tablename__ = "recovery"

    email: Mapped[str]  # it works while this is the personal address


class AddressProof(OneTimeLink, Base):
    """A link by which a person shows that a new personal address is theirs (3.6); mailed to that address."""

    __tablename__ = "address_proof"

    statement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("statement.id"))


class RecoveryRequest(Identified, Due, Base):
    """Somebody has forgotten something.  A worker looks whom it concerns, so that the page can't tell; then it is gone."""

    __tablename__ = "recovery_request"

    forgotten: Mapped[str]  # policies.recovery.Forgotten
    entered: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    address: Mapped[str | None]
    request_id: Mapped[str]
