"""OAuth clients: the systems that sign people in through this service, and who may register more of them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Client(Identified, Base):
    """A relying party.  `system` ties it to an information system: who has no right to that is refused.

    `registration` is its metadata under the standards' names (`policies.registration`).  A secret is kept as a digest;
    sealed as well only where it must be known again, to check an HMAC (`client_secret_jwt`).
    """

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(unique=True)
    system: Mapped[str | None] = mapped_column(ForeignKey("system.code"))
    registration: Mapped[dict[str, Any]]
    secret_digest: Mapped[str | None]  # None: it proves itself by keys, or not at all
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    registration_digest: Mapped[str | None]  # of the token by which it changes itself (RFC 7592, 3)
    registered_with: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("initial_access_token.id"))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class InitialAccessToken(Identified, Base):
    """The right to register clients (RFC 7591, 3): so many, until a day, within these scopes."""

    __tablename__ = "initial_access_token"

    name: Mapped[str]
    token_digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SpentJti(Identified, Base):
    """An identifier of a JWT that was accepted once and never will be again (RFC 7523, 3; RFC 9449, 11.1)."""

    __tablename__ = "spent_jti"

    digest: Mapped[str] = mapped_column(unique=True)  # over purpose, issuer and jti
    expires_at: Mapped[datetime] = mapped_column(index=True)
