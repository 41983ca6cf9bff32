"""Which program calls an API of ours: by an access token it got for itself (RFC 6750; RFC 9449, 7; RFC 9068, 4).

The token is not enough: its client must be registered now and still have the scope, and a token that is bound to a key
or a certificate comes from its holder.
"""

from flask import g, request

from idp.api.problem import Problem
from idp.flows.here import Here
from idp.oauth.access_token import AccessToken, open_access_token
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.confirmation import expected_of, holder_refusal
from idp.oauth.dpop import NONCE_HEADER, current_nonce


def calling_program(scope: str, client_id: str | None = None) -> Here:
    """The circumstances of a program that may use `scope`; where `client_id` is given, of that one alone.

    Raises `Problem`: 401, or 403 where only the scope lacks.  To be asked before anything else: a proof is spent in a
    transaction of its own.
    """
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    by_dpop, presented = scheme.lower() == "dpop", presented.strip()
    token = open_access_token(g.here.service, presented, g.here.now) if by_dpop or scheme.lower() == "bearer" else None
    client = find_client(token.client_id) if token and client_id in (None, token.client_id) else None
    if token is None or client is None or not _is_for_itself(token):
        raise _not_authentic("DPoP" if by_dpop else "Bearer")
    if by_dpop or token.confirmation:
        _comes_from_holder(client, token, presented, by_dpop)
    if scope not in token.scope & client.scopes or not client.check_grant_type("client_credentials"):
        challenge = f'{"DPoP" if by_dpop else "Bearer"} error="insufficient_scope", scope="{scope}"'
        raise Problem(403, "not_allowed", f"the scope {scope} is needed", headers={"WWW-Authenticate": challenge})
    here: Here = g.here.acting_as(f"client/{client.client_id}")
    return here


def _is_for_itself(token: AccessToken) -> bool:
    """A token for us, of a program that acts for nobody else."""
    for_us = g.here.service.settings.base_url in token.audience
    return for_us and token.sub == token.client_id and token.grant_id is None and token.actor is None


def _comes_from_holder(client: RegisteredClient, token: AccessToken, presented: str, by_dpop: bool) -> None:
    url = g.here.service.settings.base_url + request.path
    expected = expected_of(client, request.method, url, presented)
    refusal = holder_refusal(g.here, request.headers, token.confirmation, by_dpop, expected)
    if refusal:
        raise _not_authentic(f'{"DPoP" if by_dpop else "Bearer"} error="{refusal.error}"', by_dpop)


def _not_authentic(challenge: str, with_nonce: bool = False) -> Problem:
    nonce = {NONCE_HEADER: current_nonce(g.here.service, g.here.now)} if with_nonce else {}
    told = "an access token of a program is needed"
    return Problem(401, "not_authentic", told, headers={"WWW-Authenticate": challenge, **nonce})
