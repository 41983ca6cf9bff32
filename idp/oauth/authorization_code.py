"""The authorization code grant at the token endpoint (RFC 6749, 4.1.3; RFC 7636, 4.6).

On Authlib's grant, which checks redirect URI and PKCE.  A code is spent by one statement, together with the storing
of the refresh token; one whose request turns out wrong is spent as well: whatever comes of it, it is never accepted
again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeGrant as AuthlibAuthorizationCodeGrant
from authlib.oauth2.rfc6749 import InvalidGrantError

from idp.crypto import digest
from idp.flows.here import Here
from idp.models import AuthorizationCode, Grant
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.one_use import spend
from idp.oauth.standing import WIDTH, StandingGrant, revoke_grant, standing
from idp.oauth.token_response import (
    Tokens,
    audience_asked,
    can_be_answered,
    key_of_public,
    new_refresh_token,
    token_response,
)
from idp.prepared import Prepared

FOUND = Prepared(
    standing(
        AuthorizationCode.id,
        AuthorizationCode.redirect_uri,
        AuthorizationCode.redirect_uri_given,
        AuthorizationCode.nonce,
        AuthorizationCode.code_challenge,
        AuthorizationCode.jkt,
        AuthorizationCode.authenticated_at,
        AuthorizationCode.expires_at,
        AuthorizationCode.used_at,
    )
    .join(AuthorizationCode, AuthorizationCode.grant_id == Grant.id)
    .where(AuthorizationCode.code_digest == sa.bindparam("digest"))
)


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code whose grant stands."""

    code_challenge_method: ClassVar[str] = "S256"

    grant: StandingGrant
    id: UUID
    redirect_uri: str
    redirect_uri_given: bool
    nonce: str | None
    code_challenge: str | None
    jkt: str | None
    authenticated_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def get_redirect_uri(self) -> str | None:
        """Authlib's question: what must the token request repeat?"""
        return self.redirect_uri if self.redirect_uri_given else None

    def get_scope(self) -> str:
        """Authlib's question: what was granted?"""
        return self.grant.scope


def find_code(here: Here, code: str, client: RegisteredClient) -> FoundCode | None:
    """A code this client may use now.  A second use revokes what the first one gave (RFC 9700, 4.5; ASVS 10.4.2)."""
    row = FOUND.first(digest=digest(code), now=here.now)
    found = FoundCode(StandingGrant(*row[:WIDTH]), *row[WIDTH:]) if row else None
    if found is None or found.grant.client_row != client.id:
        return None
    if found.used_at is not None:
        revoke_grant(here, found.grant.id, "authorization code used twice")
        return None
    return found if here.now < found.expires_at else None


class AuthorizationCodeGrant(AuthlibAuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749, 4.1 at the token endpoint; the authorization endpoint is ours."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_authorization_code(self, code: str, client: RegisteredClient) -> FoundCode | None:
        return find_code(self.request.here, code, client)

    def validate_token_request(self) -> None:
        """Authlib's checks; a code that was found but does not fit is spent (ASVS 10.4.2)."""
        self.request.authorization_code = None
        try:
            super().validate_token_request()
            self._is_for_this_key()
            audience_asked(self.request.resources, self.request.authorization_code.grant.resources)
        except OAuth2Error as error:
            found = self.request.authorization_code
            if found is None:
                raise
            spend(AuthorizationCode, found.id, self.request.here.now)
            raise self._in_our_words(found) or error from None

    def authenticate_user(self, authorization_code: FoundCode) -> str:
        return authorization_code.grant.sub

    def delete_authorization_code(self, authorization_code: FoundCode) -> None:
        """It was spent before anything was issued."""

    def generate_token(
        self,
        user: Any = None,
        scope: str | None = None,
        grant_type: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        """The token response (OIDC Core, 3.1.3.3); only for the one request that spent the code."""
        here: Here = self.request.here
        code: FoundCode = self.request.authorization_code
        client, grant, confirmation = self.request.client, code.grant, self.request.confirmation
        audience = audience_asked(self.request.resources, grant.resources)
        can_be_answered(here, client, grant)
        token, row = None, None
        if include_refresh_token:
            jkt = key_of_public(client, confirmation)
            token, row = new_refresh_token(here, grant, code.authenticated_at, jkt)
        if not spend(AuthorizationCode, code.id, here.now, row):
            revoke_grant(here, grant.id, "authorization code used twice")
            raise InvalidGrantError
        asked = Tokens(grant.scope, audience, code.authenticated_at, code.nonce)
        return token_response(here, client, grant, asked, confirmation, token)

    def _in_our_words(self, found: FoundCode) -> OAuth2Error | None:
        """A verifier that is missing fits the challenge no better than a wrong one (RFC 7636, 4.6)."""
        if found.code_challenge is not None and not self.request.form.get("code_verifier"):
            return InvalidGrantError("code_verifier is missing")
        return None

    def _is_for_this_key(self) -> None:
        """A code asked for with `dpop_jkt` is redeemed with a proof of that key (RFC 9449, 10)."""
        bound_to = self.request.authorization_code.jkt
        if bound_to is not None and (self.request.confirmation or {}).get("jkt") != bound_to:
            raise InvalidGrantError("the code is bound to another key")
