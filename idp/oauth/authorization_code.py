"""The authorization code grant at the token endpoint (RFC 6749, 4.1.3; RFC 7636, 4.6).

On Authlib's grant, which checks redirect URI and PKCE.  The code is spent before those checks, by one statement in a
transaction of its own: whatever comes of it, it is never accepted again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import AuthorizationCodeGrant as AuthlibAuthorizationCodeGrant

from idp.crypto import digest
from idp.db import db, reader
from idp.flows.here import Here
from idp.models import AuthorizationCode, Grant
from idp.oauth.access_token import bearer, issue_access_token
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.id_token import SignIn, issue_id_token
from idp.oauth.refresh_token import new_refresh_token
from idp.oauth.standing import StandingGrant, revoke_grant, standing_grant

_of_client = AuthorizationCode.grant_id.in_(sa.select(Grant.id).where(Grant.client_id == sa.bindparam("client")))
SPEND = (
    sa.update(AuthorizationCode)
    .where(
        AuthorizationCode.code_digest == sa.bindparam("digest"),
        AuthorizationCode.used_at.is_(None),
        AuthorizationCode.expires_at > sa.bindparam("now"),
        _of_client,
    )
    .values(used_at=sa.bindparam("now"))
    .returning(
        AuthorizationCode.grant_id,
        AuthorizationCode.redirect_uri,
        AuthorizationCode.redirect_uri_given,
        AuthorizationCode.nonce,
        AuthorizationCode.code_challenge,
        AuthorizationCode.authenticated_at,
    )
)
SPENT = sa.select(AuthorizationCode.grant_id).where(
    AuthorizationCode.code_digest == sa.bindparam("digest"), AuthorizationCode.used_at.is_not(None), _of_client
)


@dataclass(frozen=True, slots=True)
class SpentCode:
    """A code that was just spent, and its grant; `redirect_uri` only if the token request must repeat it."""

    code_challenge_method: ClassVar[str] = "S256"

    grant: StandingGrant
    redirect_uri: str | None
    nonce: str | None
    code_challenge: str | None
    authenticated_at: datetime

    def get_redirect_uri(self) -> str | None:
        """Authlib's question: what must the token request repeat?"""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Authlib's question: what was granted?"""
        return self.grant.scope


def spend_code(here: Here, code: str, client: RegisteredClient) -> SpentCode | None:
    """Spend a code of this client.  A second use revokes what the first one gave (RFC 9700, 4.5; ASVS 10.4.2)."""
    values = {"digest": digest(code), "client": client.id, "now": here.now}
    with db.engine.begin() as connection:  # its own transaction, and both in one: no reuse is seen in between
        row = connection.execute(SPEND, values).one_or_none()
        grant = standing_grant(connection, row.grant_id, here.now) if row else None
    if row is None:
        _revoke_if_spent(here, values)
    if row is None or grant is None:
        return None
    given = row.redirect_uri if row.redirect_uri_given else None
    return SpentCode(grant, given, row.nonce, row.code_challenge, row.authenticated_at)


def _revoke_if_spent(here: Here, values: dict[str, Any]) -> None:
    with reader().connect() as connection:
        row = connection.execute(SPENT, {"digest": values["digest"], "client": values["client"]}).one_or_none()
    if row is not None:
        revoke_grant(here, row.grant_id, "authorization code used twice")


class AuthorizationCodeGrant(AuthlibAuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749, 4.1 on our codes."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_authorization_code(self, code: str, client: RegisteredClient) -> SpentCode | None:
        return spend_code(self.request.here, code, client)

    def authenticate_user(self, authorization_code: SpentCode) -> str:
        return authorization_code.grant.sub

    def delete_authorization_code(self, authorization_code: SpentCode) -> None:
        """It was spent before anything else."""

    def generate_token(
        self,
        user: Any = None,
        scope: str | None = None,
        grant_type: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        """The token response (OIDC Core, 3.1.3.3)."""
        here: Here = self.request.here
        code: SpentCode = self.request.authorization_code
        client, grant = self.request.client, code.grant
        access_token = issue_access_token(here.service, here.now, grant.sub, client.client_id, grant.scope, grant.id)
        answer = bearer(here.service, access_token, grant.scope)
        if "openid" in grant.scope.split():
            signed_in = SignIn(grant.sub, grant.session_id, code.authenticated_at, code.nonce)
            answer["id_token"] = issue_id_token(here.service, here.now, client.client_id, signed_in, access_token)
        if include_refresh_token:
            rules = here.service.profile.rules.tokens
            answer["refresh_token"] = new_refresh_token(db.session, grant, here.now, code.authenticated_at, rules)
        return answer
