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
    """One sign-in of one session to one client: the family of all codes and tokens that come from it.

    `claims`, `resources` and `authorization_details` are what was asked for beside the scope, and granted (OIDC Core,
    5.5; RFC 8707; RFC 9396).
    """

    __tablename__ = "grant"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("session.id"), index=True)
    scope: Mapped[str]
    claims: Mapped[dict[str, Any] | None]
    resources: Mapped[list[str] | None]
    authorization_details: Mapped[list[Any] | None]
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
    jkt: Mapped[str | None]  # thumbprint of the DPoP key it is bound to (RFC 9449, 10)
    authenticated_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RefreshToken(Identified, Base):
    """A refresh token: opaque, used once, replaced by its successor; a second use revokes the grant."""

    __tablename__ = "refresh_token"

    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grant.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    jkt: Mapped[str | None]  # thumbprint of the DPoP key it is bound to (RFC 9449, 5)
    authenticated_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class DeviceCode(Identified, Base):
    """A device that waits for its person (RFC 8628): polled by its own code, approved by the code the person types."""

    __tablename__ = "device_code"

    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    device_digest: Mapped[str] = mapped_column(unique=True)
    user_digest: Mapped[str] = mapped_column(unique=True)
    parameters: Mapped[dict[str, Any]]  # scope, resource ... as a waiting authorization request has them
    grant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("grant.id"))  # once approved
    authenticated_at: Mapped[datetime | None]
    denied_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    interval: Mapped[int]  # seconds between two polls
    polled_at: Mapped[datetime | None]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
