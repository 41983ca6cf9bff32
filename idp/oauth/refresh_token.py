"""The refresh token grant (RFC 6749, 6; RFC 9700, 4.14): each token is used once and replaced by its successor.

On Authlib's grant, which knows no rotation.  The successor's text follows from the old token and a key of ours, so
that an answer that was lost can be given again for some seconds, the same pair (`policies.tokens`), although only
digests are stored.  Any other second use ends the whole grant: one of the two users is not the client.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749 import RefreshTokenGrant as AuthlibRefreshTokenGrant

from idp.crypto import digest
from idp.flows.here import Here
from idp.models import Grant, RefreshToken
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.one_use import spend
from idp.oauth.standing import WIDTH, StandingGrant, revoke_grant, standing
from idp.oauth.token_response import Tokens, audience_asked, can_be_answered, new_refresh_token, token_response
from idp.prepared import Prepared
from idp.service import Service
from policies.tokens import refresh_until

PRESENTED = Prepared(
    standing(
        RefreshToken.id,
        RefreshToken.jkt,
        RefreshToken.authenticated_at,
        RefreshToken.issued_at,
        RefreshToken.expires_at,
        RefreshToken.used_at,
    )
    .join(RefreshToken, RefreshToken.grant_id == Grant.id)
    .where(RefreshToken.token_digest == sa.bindparam("digest"))
)

PROLONG = Prepared(
    sa.update(RefreshToken)
    .where(RefreshToken.id == sa.bindparam("token"), RefreshToken.used_at.is_(None))
    .values(expires_at=sa.bindparam("until"))
    .returning(RefreshToken.id)
)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A refresh token whose grant stands."""

    grant: StandingGrant
    token: str
    id: UUID
    jkt: str | None
    authenticated_at: datetime
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def check_client(self, client: RegisteredClient) -> bool:
        """Authlib's question: was it issued to this client?"""
        return self.grant.client_row == client.id

    def get_scope(self) -> str:
        """Authlib's question: what was granted?"""
        return self.grant.scope


def look_up(here: Here, token: str) -> PresentedToken | None:
    """A refresh token as it is stored, used or not."""
    row = PRESENTED.first(digest=digest(token), now=here.now)
    return PresentedToken(StandingGrant(*row[:WIDTH]), token, *row[WIDTH:]) if row else None


def find_refresh_token(here: Here, token: str, client: RegisteredClient) -> PresentedToken | None:
    """A token this client may use now, or used a moment ago and may have its answer again.

    Any other used one ends its grant (RFC 9700, 4.14.2; ASVS 10.4.5).
    """
    found = look_up(here, token)
    if found is None or not found.check_client(client):
        return None
    if found.used_at is not None and find_successor(here, found) is None:
        revoke_grant(here, found.grant.id, "refresh token used twice")
        return None
    return found if here.now < found.expires_at else None


def find_successor(here: Here, used: PresentedToken) -> PresentedToken | None:
    """What replaced a used token, while the answer may still be fetched again: soon after, and nobody used it yet."""
    grace = here.service.profile.rules.tokens.refresh_grace
    if used.used_at is None or here.now - used.used_at > grace:
        return None
    successor = look_up(here, successor_of(here.service, used.token))
    return successor if successor is not None and successor.used_at is None else None


def replace(here: Here, old: PresentedToken) -> PresentedToken | None:
    """The successor of `old`, now or from a request that was faster; None when that one's is in use already."""
    token, row = new_refresh_token(
        here, old.grant, old.authenticated_at, old.jkt, successor_of(here.service, old.token)
    )
    if old.used_at is None and spend(RefreshToken, old.id, here.now, row):
        return PresentedToken(
            old.grant, token, row["id"], old.jkt, old.authenticated_at, here.now, row["expires_at"], None
        )
    used = look_up(here, old.token)
    return find_successor(here, used) if used is not None else None


def prolong(here: Here, token: PresentedToken) -> PresentedToken | None:
    """The same token for another while: a client that proves its key at each use needs no rotation, and a lost answer
    would lock it out (FAPI 2.0 Security Profile, 5.3.2.1)."""
    until = refresh_until(token.grant.granted_at, here.now, here.service.profile.rules.tokens)
    return token if PROLONG.first(token=token.id, until=until) else None


def successor_of(service: Service, token: str) -> str:
    """The text of the token that replaces `token`; nobody can tell it who has not our key."""
    return base64.urlsafe_b64encode(bytes.fromhex(service.vault.fingerprint(f"refresh\n{token}"))).rstrip(b"=").decode()


class RefreshTokenGrant(AuthlibRefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749, 6 on our refresh tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> PresentedToken | None:
        """The token, if the client and the key it is bound to are the right ones (RFC 9449, 5)."""
        found = find_refresh_token(self.request.here, refresh_token, self.request.client)
        if found and found.jkt is not None and (self.request.confirmation or {}).get("jkt") != found.jkt:
            return None
        return found

    def authenticate_user(self, refresh_token: PresentedToken) -> str:
        return refresh_token.grant.sub

    def revoke_old_credential(self, refresh_token: PresentedToken) -> None:
        """It was spent when its successor was made."""

    def issue_token(self, user: Any, refresh_token: PresentedToken) -> dict[str, Any]:
        """The token response; a narrower scope or resource concerns the access token only (RFC 6749, 6)."""
        here: Here = self.request.here
        grant, client = refresh_token.grant, self.request.client
        audience = audience_asked(self.request.resources, grant.resources)
        can_be_answered(here, client, grant)
        kept = client.metadata.security_profile is not None
        successor = prolong(here, refresh_token) if kept else replace(here, refresh_token)
        if successor is None:
            revoke_grant(here, grant.id, "refresh token used twice")
            raise InvalidGrantError
        scope = " ".join((self.request.payload.scope or grant.scope).split())
        named = uuid5(successor.id, f"{scope}\n{audience}\n{self.request.confirmation}")  # another token, another name
        issued = (None, None) if kept else (successor.issued_at, named)
        asked = Tokens(scope, audience, successor.authenticated_at, None, *issued)
        return token_response(here, client, grant, asked, self.request.confirmation, successor.token)
