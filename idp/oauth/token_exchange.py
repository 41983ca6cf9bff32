"""Token exchange (RFC 8693): a service that got a token turns it into one for the next service, narrower, never wider.

What may come out is decided in `policies/token_exchange.py`; here stands whether the tokens are genuine and the person
behind them may still be acted for.  Decisions of this house:

- Only access tokens of ours that a person stands behind, issued to the caller or meant for what it is (its `audiences`).
- The new token belongs to the same grant, so that whatever ends that ends it too, and dies no later than the old one.
- The person goes by the name the caller knows them by (`subject.py`), as in every token that is issued to it.
- The token may be bound to a key the caller has not (RFC 9449): it is handed on by a resource server that had seen the
  proof.  The new one is bound to the key or certificate of the caller, if it shows one.
- An actor token can only be the caller's own: nobody acts by proxy.  There is no refresh token.
"""

from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import (
    BaseGrant,
    InvalidRequestError,
    OAuth2Error,
    TokenEndpointMixin,
    UnauthorizedClientError,
)

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account
from idp.oauth.access_token import AccessToken, Rights, issue_access_token, open_access_token, token_answer
from idp.oauth.client_authentication import CONFIDENTIAL
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.standing import StandingGrant, has_access, standing_grant
from idp.oauth.subject import subject_for
from policies.registration import TOKEN_EXCHANGE
from policies.token_exchange import Exchange, Exchanged, exchanged

KINDS = (  # RFC 8693, 3: our access tokens are both
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:jwt",
)
UNUSABLE = "the subject token can't be used"


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib has no types
    """RFC 8693, 2; only for clients that can keep a secret and were registered for it."""

    GRANT_TYPE = TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL

    def validate_token_request(self) -> None:
        """Who asks, and whether the request is one (RFC 8693, 2.1)."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.request.client = client
        form = self.request.form
        if form.get("subject_token_type") not in KINDS or "subject_token" not in form:
            raise InvalidRequestError("subject_token and its type, an access token, are required")
        if form.get("requested_token_type", KINDS[0]) not in KINDS:
            raise InvalidRequestError("only access tokens are given")
        if ("actor_token" in form) != ("actor_token_type" in form) or form.get(
            "actor_token_type", KINDS[0]
        ) not in KINDS:
            raise InvalidRequestError("actor_token and its type, an access token, go together")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The new token, or why there is none (RFC 8693, 2.2)."""
        here, client, form = self.request.here, self.request.client, self.request.form
        token = _genuine(here, form["subject_token"])
        grant = _stands(here, client, token)
        if "actor_token" in form and not _is_of(client, open_access_token(here.service, form["actor_token"], here.now)):
            raise InvalidRequestError("the actor token can't be used")
        said = exchanged(self._asked(here, client, token))
        if not isinstance(said, Exchanged):
            raise OAuth2Error(said.description, error=said.error)
        _record(here, client, grant, said)
        return 200, self._issue(here, client, token, grant, said), self.TOKEN_RESPONSE_HEADER

    def _asked(self, here: Here, client: RegisteredClient, token: AccessToken) -> Exchange:
        """Our own endpoints are nobody else, and no audience to exchange into, whatever is registered."""
        ours = {here.service.settings.base_url}
        return Exchange(
            client_id=token.client_id,
            audience=token.audience,
            scope=token.scope,
            actor=token.actor,
            caller=client.client_id,
            audiences=frozenset(client.metadata.audiences) - ours,
            resources=frozenset(client.metadata.resources) - ours,
            caller_scope=client.scopes,
            audience_asked=tuple(dict.fromkeys((*self.request.resources, *self.request.audiences))),
            scope_asked=tuple((self.request.payload.scope or "").split()),
        )

    def _issue(
        self, here: Here, client: RegisteredClient, token: AccessToken, grant: StandingGrant, said: Exchanged
    ) -> dict[str, Any]:
        scope, confirmation = " ".join(said.scope), self.request.confirmation
        rights = Rights(
            sub=subject_for(here.service, client, grant.sub),
            scope=scope,
            grant_id=grant.id,
            audience=said.audience,
            authorization_details=_details_for(client, token),
            actor=said.actor,
            until=datetime.fromtimestamp(token.expires_at, UTC),
        )
        access_token = issue_access_token(here, client, rights, confirmation)
        answer = token_answer(here.service, access_token, scope, confirmation)
        left = token.expires_at - int(here.now.timestamp())
        kind = self.request.form.get("requested_token_type", KINDS[0])
        return {**answer, "expires_in": min(answer["expires_in"], left), "issued_token_type": kind}


def _genuine(here: Here, presented: str) -> AccessToken:
    """A token that a person stands behind, of a client that is still there."""
    token = open_access_token(here.service, presented, here.now)
    if token is None or token.grant_id is None or find_client(token.client_id) is None:
        raise InvalidRequestError(UNUSABLE)
    return token


def _stands(here: Here, client: RegisteredClient, token: AccessToken) -> StandingGrant:
    """The grant behind the token, while it stands and its person may use the system of the caller as well."""
    grant = standing_grant(token.grant_id, here.now) if token.grant_id else None
    if grant is None or not has_access(grant.account_id, client.system):
        raise InvalidRequestError(UNUSABLE)
    return grant


def _is_of(client: RegisteredClient, actor: AccessToken | None) -> bool:
    """Whether a token is the client's own: of nobody else, for nobody else."""
    return actor is not None and actor.grant_id is None and actor.client_id == client.client_id


def _details_for(client: RegisteredClient, token: AccessToken) -> list[Any] | None:
    """Of the authorization details those of a type the caller may have (RFC 9396, 10)."""
    allowed = client.metadata.authorization_details_types
    return [detail for detail in token.authorization_details or () if detail.get("type") in allowed] or None


def _record(here: Here, client: RegisteredClient, grant: StandingGrant, said: Exchanged) -> None:
    account = db.session.get(Account, grant.account_id)
    after = {"audience": list(said.audience), "scope": list(said.scope), "actor": said.actor}
    record(here, "token-exchanged", account, subject=f"client/{client.client_id}", before={}, after=after)
