"""What clients were granted: authorization requests on their way, grants, codes and refresh tokens."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class AuthorizationRequest(Identified, Base):
    """A validated request that waits while the person signs in.  Pages carry its token, never its contents."""

    __tablename__ = "authorization_request"

    token_digest: Mapped[str] = mapped_column(unique=True)
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    parameters: Mapped[dict[str, Any]]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Grant(Identified, Base):
    """One sign-in of one session to one client: the family of all codes and tokens that come from it."""

    __tablename__ = "grant"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("session.id"), index=True)
    scope: Mapped[str]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]


class AuthorizationCode(Identified, Base):
    """A code: at most 60 s, used once, bound to client, redirect URI and challenge."""

    __tablename__ = "authorization_code"

    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grant.id"), index=True)
    code_digest: Mapped[str] = mapped_column(unique=True)
    redirect_uri: Mapped[str]
    redirect_uri_given: Mapped[bool]
    nonce: Mapped[str | None]
    code_challenge: Mapped[str | None]
    authenticated_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RefreshToken(Identified, Base):
    """A refresh token: opaque, used once, replaced by its successor; a second use revokes the grant."""

    __tablename__ = "refresh_token"

    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grant.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    authenticated_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
