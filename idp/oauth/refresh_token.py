"""The refresh token grant (RFC 6749, 6; RFC 9700, 4.14): each token is used once and replaced by its successor.

On Authlib's grant, which knows no rotation.  Spending the old and storing the new are one transaction of its own; a
second use ends the whole grant, since one of the two users is not the client.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749 import RefreshTokenGrant as AuthlibRefreshTokenGrant
from uuid_utils.compat import uuid7

from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.flows.here import Here
from idp.models import Grant, RefreshToken
from idp.oauth.access_token import bearer, issue_access_token
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.standing import WIDTH, StandingGrant, revoke_grant, standing
from policies.tokens import TokenRules, refresh_until

PRESENTED = (
    standing(RefreshToken.id, RefreshToken.used_at, RefreshToken.expires_at, RefreshToken.authenticated_at)
    .join(RefreshToken, RefreshToken.grant_id == Grant.id)
    .where(RefreshToken.token_digest == sa.bindparam("digest"))
)
SPEND = (
    sa.update(RefreshToken)
    .where(RefreshToken.id == sa.bindparam("token"), RefreshToken.used_at.is_(None))
    .values(used_at=sa.bindparam("now"))
    .returning(RefreshToken.id)
)
STORE = sa.insert(RefreshToken.__table__)  # type: ignore[arg-type]  # a mapped class's table is a Table


class Executes(Protocol):
    """A connection or a session."""

    def execute(self, statement: Any, parameters: Any = None, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A refresh token whose grant stands."""

    grant: StandingGrant
    id: UUID
    used_at: datetime | None
    expires_at: datetime
    authenticated_at: datetime

    def check_client(self, client: RegisteredClient) -> bool:
        """Authlib's question: was it issued to this client?"""
        return self.grant.client_row == client.id

    def get_scope(self) -> str:
        """Authlib's question: what was granted?"""
        return self.grant.scope


def new_refresh_token(
    where: Executes, grant: StandingGrant, now: datetime, authenticated_at: datetime, rules: TokenRules
) -> str:
    """Store a refresh token of `grant`; `authenticated_at` is when the person last proved themselves."""
    token = new_token()
    where.execute(
        STORE,
        {
            "id": uuid7(),
            "grant_id": grant.id,
            "token_digest": digest(token),
            "authenticated_at": authenticated_at,
            "issued_at": now,
            "expires_at": refresh_until(grant.granted_at, now, rules),
        },
    )
    return token


def find_refresh_token(here: Here, token: str, client: RegisteredClient) -> PresentedToken | None:
    """A token this client may use now.  A used one ends its grant (RFC 9700, 4.14.2; ASVS 10.4.5)."""
    with reader().connect() as connection:
        row = connection.execute(PRESENTED, {"digest": digest(token), "now": here.now}).one_or_none()
    if row is None:
        return None
    found = PresentedToken(StandingGrant(*row[:WIDTH]), *row[WIDTH:])
    if not found.check_client(client):
        return None
    if found.used_at is not None:
        revoke_grant(here, found.grant.id, "refresh token used twice")
        return None
    return found if here.now < found.expires_at else None


def replace_refresh_token(here: Here, old: PresentedToken) -> str | None:
    """The successor of `old`, or None when another request was faster: that is a second use."""
    with db.engine.begin() as connection:
        spent = connection.execute(SPEND, {"token": old.id, "now": here.now}).one_or_none()
        if spent is not None:
            rules = here.service.profile.rules.tokens
            return new_refresh_token(connection, old.grant, here.now, old.authenticated_at, rules)
    revoke_grant(here, old.grant.id, "refresh token used twice")
    return None


class RefreshTokenGrant(AuthlibRefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749, 6 on our refresh tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> PresentedToken | None:
        return find_refresh_token(self.request.here, refresh_token, self.request.client)

    def authenticate_user(self, refresh_token: PresentedToken) -> str:
        return refresh_token.grant.sub

    def revoke_old_credential(self, refresh_token: PresentedToken) -> None:
        """It was spent when its successor was made."""

    def issue_token(self, user: Any, refresh_token: PresentedToken) -> dict[str, Any]:
        """The token response; a narrower scope concerns the access token only (RFC 6749, 6)."""
        here: Here = self.request.here
        successor = replace_refresh_token(here, refresh_token)
        if successor is None:
            raise InvalidGrantError
        grant, client = refresh_token.grant, self.request.client
        scope = self.request.payload.scope or grant.scope
        access_token = issue_access_token(here.service, here.now, grant.sub, client.client_id, scope, grant.id)
        return {**bearer(here.service, access_token, scope), "refresh_token": successor}
