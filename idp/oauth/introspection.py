"""The introspection endpoint (RFC 7662; signed answers: RFC 9701): what a token says, told to the client it concerns.

It concerns the client it was issued to, and those that are an audience of it; for all others every token is as
unknown as none.  A token is active while it has not run out and its grant stands at this very moment.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Response, jsonify, request

from idp.db import reader
from idp.flows.here import Here
from idp.flows.signing_keys import sign
from idp.models import Account, Grant
from idp.oauth.access_token import AccessToken, open_access_token
from idp.oauth.blueprint import blueprint
from idp.oauth.client_authentication import CONFIDENTIAL
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.refresh_token import look_up
from idp.oauth.server import posted, provider, refused
from idp.oauth.standing import standing
from idp.oauth.subject import subject_for

TYPE = "token-introspection+jwt"  # RFC 9701, 5
INACTIVE: dict[str, Any] = {"active": False}
HELD = standing(Account.login).where(Grant.id == sa.bindparam("grant"))


@blueprint.post("/oauth/introspect")
def introspect() -> Response:
    """What the token says, or only that it is not active; the hint of its type is not needed (RFC 7662, 2.1)."""
    try:
        asked = posted()
        client = provider.authenticate_client(asked, CONFIDENTIAL, "introspection")
        if "token" not in asked.form:
            raise InvalidRequestError("token is missing")
    except OAuth2Error as error:
        return refused(error)
    return _answer(asked.here, client, describe_token(asked.here, client, asked.form["token"]))


def describe_token(here: Here, client: RegisteredClient, presented: str) -> dict[str, Any]:
    """What `client` may know of a token (RFC 7662, 2.2)."""
    token = open_access_token(here.service, presented, here.now)
    if token is None:
        return _of_refresh_token(here, client, presented)
    if not _concerns(client, token):
        return INACTIVE
    return _of_access_token(here, client, token)


def _concerns(client: RegisteredClient, token: AccessToken) -> bool:
    return token.client_id == client.client_id or not set(client.metadata.audiences).isdisjoint(token.audience)


def _of_access_token(here: Here, client: RegisteredClient, token: AccessToken) -> dict[str, Any]:
    login = _holder(here, token.grant_id) if token.grant_id else None
    if find_client(token.client_id) is None or (token.grant_id is not None and login is None):
        return INACTIVE
    bound_to_key = token.confirmation is not None and "jkt" in token.confirmation
    optional = {
        "username": _told(client, login),
        "cnf": token.confirmation,
        "act": token.actor,
        "authorization_details": token.authorization_details,
    }
    return {
        "active": True,
        "scope": " ".join(sorted(token.scope)),
        "client_id": token.client_id,
        "token_type": "DPoP" if bound_to_key else "Bearer",
        "exp": token.expires_at,
        "iat": token.issued_at,
        "sub": token.sub,
        "aud": list(token.audience) if len(token.audience) > 1 else token.audience[0],
        "iss": here.service.settings.base_url,
        "jti": token.jti,
        **{name: value for name, value in optional.items() if value},
    }


def _of_refresh_token(here: Here, client: RegisteredClient, presented: str) -> dict[str, Any]:
    """Only its own, and only while it may still be used."""
    token = look_up(here, presented)
    if token is None or not token.check_client(client) or token.used_at is not None or here.now >= token.expires_at:
        return INACTIVE
    optional = {
        "username": _told(client, _holder(here, token.grant.id)),
        "cnf": {"jkt": token.jkt} if token.jkt else None,
        "authorization_details": token.grant.authorization_details,
    }
    return {
        "active": True,
        "scope": token.grant.scope,
        "client_id": client.client_id,
        "exp": int(token.expires_at.timestamp()),
        "iat": int(token.issued_at.timestamp()),
        "sub": subject_for(here.service, client, token.grant.sub),
        "iss": here.service.settings.base_url,
        **{name: value for name, value in optional.items() if value},
    }


def _holder(here: Here, grant_id: UUID) -> str | None:
    """The login of the person behind a grant, while it stands."""
    with reader().connect() as connection:
        row = connection.execute(HELD, {"grant": grant_id, "now": here.now}).one_or_none()
    return str(row.login) if row else None


def _told(client: RegisteredClient, login: str | None) -> str | None:
    """The login, to a client that could have it as a claim."""
    narrowed = client.metadata.claims
    may = "profile" in client.scopes and (narrowed is None or "preferred_username" in narrowed)
    return login if may else None


def _answer(here: Here, client: RegisteredClient, described: dict[str, Any]) -> Response:
    """JSON, or the same signed, to whoever prefers that (RFC 9701, 4 and 5)."""
    kinds = ("application/json", f"application/{TYPE}")
    if request.accept_mimetypes.best_match(kinds, default=kinds[0]) == kinds[0]:
        return jsonify(described)
    said = {
        "iss": here.service.settings.base_url,
        "aud": client.client_id,
        "iat": int(here.now.timestamp()),
        "token_introspection": described,
    }
    signed = sign(here.service, TYPE, said, client.metadata.introspection_signed_response_alg)
    return Response(signed, content_type=kinds[1])
