"""The authorization request: parsed once into an immutable value that every later step reads (RFC 6749, 4.1.1; OIDC
Core, 3.1.2.1 and 3.3.2.1).

Doubt about client or redirect URI ends on a page; every other mistake is told to the client.  What is looked at stands
in `authorization_checks.py`, as a list.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from idp.oauth.authorization_checks import CHECKS, VISIBLE, response_type_of
from idp.oauth.claims_request import read_claims
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.errors import OAuthError, UnsafeRequest
from idp.oauth.parameters import Parameters
from idp.oauth.response_mode import mode_for

LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}(/.*)")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be answered at `redirect_uri`; `scope` is what the client may have of what it asked for.

    `max_age` is in seconds.  `redirect_uri_given` tells whether the token request must repeat it (RFC 6749, 4.1.3).
    `claims` are as `claims_request.read_claims` gives them; `id_token_hint` is as it came.
    """

    client_id: str
    redirect_uri: str
    redirect_uri_given: bool
    response_type: str
    response_mode: str
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    code_challenge: str | None
    dpop_jkt: str | None
    prompt: frozenset[str]
    max_age: int | None
    acr_values: tuple[str, ...]
    login_hint: str | None
    id_token_hint: str | None
    ui_locales: tuple[str, ...]
    display: str | None
    claims: dict[str, dict[str, Any]]
    resources: tuple[str, ...]
    authorization_details: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A request of a known client that is refused; the answer goes to `redirect_uri`."""

    redirect_uri: str
    response_mode: str
    state: str | None
    refusal: OAuthError


def client_of(parameters: Parameters) -> RegisteredClient:
    """Who asks.  Raises `UnsafeRequest` when nobody we know."""
    client_id = parameters.get("client_id")
    client = find_client(client_id)
    if client is None:
        raise UnsafeRequest("no-client" if client_id is None else "unknown-client", client_id)
    return client


def parse_authorization_request(parameters: Parameters, client: RegisteredClient) -> AuthorizationRequest | Mistaken:
    """The request, or what is wrong with it.  Raises `UnsafeRequest` where no answer may be sent."""
    redirect_uri = redirect_uri_of(parameters, client)
    for check in CHECKS:
        if refusal := check(parameters, client):
            return mistaken(parameters, client, redirect_uri, refusal)
    return _accepted(parameters, client, redirect_uri)


def mistaken(parameters: Parameters, client: RegisteredClient, redirect_uri: str, refusal: OAuthError) -> Mistaken:
    """The refusal, in the mode that was asked for as far as that holds."""
    mode = mode_for(parameters.get("response_mode"), response_type_of(parameters))
    return Mistaken(redirect_uri, mode, _state(parameters), refusal)


def redirect_uri_of(parameters: Parameters, client: RegisteredClient) -> str:
    """Where the answer goes.  It may be left out only by plain OAuth clients that registered a single one.

    Raises `UnsafeRequest`.
    """
    asked, registered = parameters.get("redirect_uri"), client.metadata.redirect_uris
    if "redirect_uri" in parameters.faulty:
        raise UnsafeRequest("unreadable-redirect-uri", client.client_id)
    if asked is None:
        plain = "openid" not in parameters.words("scope") and client.metadata.security_profile is None
        if len(registered) == 1 and plain:
            return registered[0]
        raise UnsafeRequest("no-redirect-uri", client.client_id)
    if not is_registered(asked, client):
        raise UnsafeRequest("unknown-redirect-uri", client.client_id)
    return asked


def is_registered(uri: str, client: RegisteredClient) -> bool:
    """Exact match (RFC 9700, 2.1); for a native application any port of its loopback address (RFC 8252, 7.3)."""
    if uri in client.metadata.redirect_uris:
        return True
    loopback = LOOPBACK.fullmatch(uri) if client.metadata.public else None
    return loopback is not None and "".join(loopback.groups()) in client.metadata.redirect_uris


def to_plain(request: AuthorizationRequest) -> dict[str, Any]:
    """The request as JSON has it, to be kept while its person signs in."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(request).items()}


def from_plain(plain: Mapping[str, Any]) -> AuthorizationRequest:
    """The same request again."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    return AuthorizationRequest(**{**values, "prompt": frozenset(plain["prompt"])})


def _accepted(parameters: Parameters, client: RegisteredClient, redirect_uri: str) -> AuthorizationRequest:
    metadata, response_type = client.metadata, response_type_of(parameters)
    asked_age = parameters.get("max_age")
    details = json.loads(parameters.get("authorization_details") or "[]")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        redirect_uri_given=parameters.get("redirect_uri") is not None,
        response_type=response_type,
        response_mode=mode_for(parameters.get("response_mode"), response_type),
        scope=tuple(scope for scope in parameters.words("scope") if scope in client.scopes),
        state=_state(parameters),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        dpop_jkt=parameters.get("dpop_jkt"),
        prompt=frozenset(parameters.words("prompt")),
        max_age=metadata.default_max_age if asked_age is None else int(asked_age),
        acr_values=parameters.words("acr_values") or metadata.default_acr_values,
        login_hint=parameters.get("login_hint"),
        id_token_hint=parameters.get("id_token_hint"),
        ui_locales=parameters.words("ui_locales"),
        display=parameters.get("display"),
        claims=read_claims(parameters.get("claims")) or {},
        resources=parameters.all("resource"),
        authorization_details=tuple(details),
    )


def _state(parameters: Parameters) -> str | None:
    state = parameters.get("state")
    return state if state is not None and VISIBLE.fullmatch(state) else None
