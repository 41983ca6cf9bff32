"""The client credentials grant (RFC 6749, 4.4): a client acts for itself, nobody is signed in."""

from typing import Any

from authlib.oauth2.rfc6749 import ClientCredentialsGrant as AuthlibClientCredentialsGrant
from authlib.oauth2.rfc6749 import InvalidScopeError

from idp.flows.here import Here
from idp.oauth.access_token import Rights, issue_access_token, token_answer
from idp.oauth.client_authentication import CONFIDENTIAL
from idp.oauth.token_response import audience_asked
from policies.claims import CLAIMS

OF_PEOPLE = frozenset({"openid", *CLAIMS})  # scopes that mean nothing without a person


class ClientCredentialsGrant(AuthlibClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749, 4.4; only for clients that can keep a secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL

    def validate_requested_scope(self) -> None:
        """Only what the client may have (RFC 6749, 3.3)."""
        if not self._asked() <= self.request.client.scopes - OF_PEOPLE:
            raise InvalidScopeError

    def generate_token(
        self,
        user: Any = None,
        scope: str | None = None,
        grant_type: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = False,
    ) -> dict[str, Any]:
        """The token response; without `scope` in the request all that the client may have (RFC 6749, 3.3)."""
        here: Here = self.request.here
        client = self.request.client
        scope = " ".join(sorted(self._asked() or client.scopes - OF_PEOPLE))
        audience = audience_asked(self.request.resources, list(self.request.resources and client.metadata.resources))
        rights = Rights(client.client_id, scope, audience=audience)
        access_token = issue_access_token(here, client, rights, self.request.confirmation)
        return token_answer(here.service, access_token, scope, self.request.confirmation)

    def _asked(self) -> frozenset[str]:
        return frozenset((self.request.payload.scope or "").split())
