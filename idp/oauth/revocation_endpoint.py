"""What revoking a token means here (RFC 7009, 2.1): the grant it came from ends, with all that came from it.

On Authlib's endpoint, which answers an unknown `token_type_hint` with 401; a hint is only a hint.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc7009 import RevocationEndpoint as AuthlibRevocationEndpoint

from idp.crypto import digest
from idp.db import reader
from idp.flows.here import Here
from idp.models import Client, Grant, RefreshToken
from idp.oauth.access_token import open_access_token
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.standing import revoke_grant

OF_REFRESH_TOKEN = (
    sa.select(Grant.id, Client.client_id)
    .join(RefreshToken, RefreshToken.grant_id == Grant.id)
    .join(Client, Client.id == Grant.client_id)
    .where(RefreshToken.token_digest == sa.bindparam("digest"))
)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token of ours: the client it was issued to, and its grant (None when the client got it for itself)."""

    client_id: str
    grant_id: UUID | None

    def check_client(self, client: RegisteredClient) -> bool:
        """Authlib's question: was it issued to this client?"""
        return client.client_id == self.client_id


class RevocationEndpoint(AuthlibRevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """RFC 7009 on our grants."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: RegisteredClient) -> None:
        """A token must be there."""
        if "token" not in request.form:
            raise InvalidRequestError("token is missing")

    def authenticate_token(self, request: Any, client: RegisteredClient) -> PresentedToken | None:
        """The token, whichever kind it is."""
        self.check_params(request, client)
        token = _refresh_token(request.form["token"]) or _access_token(request.here, request.form["token"])
        if token and not token.check_client(client):
            raise InvalidGrantError("the token belongs to another client")
        return token

    def revoke_token(self, token: PresentedToken, request: Any) -> None:
        """End the grant; a token without one can't be called back, it only runs out (RFC 7009, 2.2.1)."""
        if token.grant_id is None:
            raise OAuth2Error("this token can't be revoked", error="unsupported_token_type")
        revoke_grant(request.here, token.grant_id, "revoked by the client")


def _refresh_token(token: str) -> PresentedToken | None:
    with reader().connect() as connection:
        row = connection.execute(OF_REFRESH_TOKEN, {"digest": digest(token)}).one_or_none()
    return PresentedToken(row.client_id, row.id) if row else None


def _access_token(here: Here, token: str) -> PresentedToken | None:
    """One that came of an exchange counts as without a grant: that is another client's, and not its holder's to end."""
    opened = open_access_token(here.service, token, here.now)
    return PresentedToken(opened.client_id, None if opened.actor else opened.grant_id) if opened else None
