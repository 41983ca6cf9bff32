"""The authorization request: parsed once into an immutable value that every later step reads (RFC 6749, 4.1.1; OIDC
Core, 3.1.2.1; RFC 7636, 4.3).

A list of named checks from top to bottom.  Doubt about client or redirect URI ends on a page; every other mistake is
told to the client.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.errors import OAuthError, UnsafeRequest
from idp.oauth.parameters import Parameters

CHALLENGE = re.compile(r"[A-Za-z0-9_\-]{43}")  # BASE64URL(SHA256(...)), RFC 7636, 4.2
VISIBLE = re.compile(r"[\x20-\x7E]+")  # VSCHAR, RFC 6749, appendix A.5
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749, 3.3
SECONDS = re.compile(r"[0-9]{1,9}")
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}(/.*)")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
READ_ONCE = frozenset({
    "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "login_hint", "ui_locales",
    "code_challenge", "code_challenge_method", "request", "request_uri", "registration", "claims", "acr_values",
    "id_token_hint", "display", "resource",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be answered at `redirect_uri`; `scope` is what the client may have of what it asked for.

    `max_age` is in seconds.  `redirect_uri_given` tells whether the token request must repeat it (RFC 6749, 4.1.3).
    """

    client_id: str
    redirect_uri: str
    redirect_uri_given: bool
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    code_challenge: str | None
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str | None
    ui_locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A request of a known client that is refused; the answer goes to `redirect_uri`."""

    redirect_uri: str
    state: str | None
    refusal: OAuthError


def parse_authorization_request(parameters: Parameters) -> tuple[AuthorizationRequest | Mistaken, RegisteredClient]:
    """The request, or what is wrong with it, and its client.  Raises `UnsafeRequest` where no answer may be sent."""
    client = _client(parameters)
    redirect_uri = _redirect_uri(parameters, client)
    for check in CHECKS:
        if refusal := check(parameters, client):
            return Mistaken(redirect_uri, _state(parameters), refusal), client
    return _accepted(parameters, client, redirect_uri), client


def _client(parameters: Parameters) -> RegisteredClient:
    client_id = parameters.get("client_id")
    client = find_client(client_id)
    if client is None:
        raise UnsafeRequest("no-client" if client_id is None else "unknown-client", client_id)
    return client


def _redirect_uri(parameters: Parameters, client: RegisteredClient) -> str:
    """Where the answer goes.  It may be left out only by plain OAuth clients that registered a single one."""
    asked = parameters.get("redirect_uri")
    if "redirect_uri" in parameters.faulty:
        raise UnsafeRequest("unreadable-redirect-uri", client.client_id)
    if asked is None:
        if len(client.metadata.redirect_uris) == 1 and "openid" not in parameters.words("scope"):
            return client.metadata.redirect_uris[0]
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


# --- the checks: each tells what is wrong, or nothing


def each_parameter_once(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 3.1."""
    if READ_ONCE & parameters.faulty:
        return OAuthError("invalid_request", "a parameter is repeated or unreadable")
    return None


def the_state_can_be_given_back(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, appendix A.5; a nonce is held to the same."""
    for name in ("state", "nonce"):
        if not VISIBLE.fullmatch(parameters.get(name) or "-"):
            return OAuthError("invalid_request", f"{name} has characters that are not allowed")
    return None


def no_request_object(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 6; 7.2.1."""
    for name in ("request", "request_uri", "registration"):
        if parameters.get(name) is not None:
            return OAuthError(f"{name}_not_supported", f"{name} is not supported")
    return None


def the_response_type_is_code(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 9700, 2.1.2: nothing else is offered."""
    response_type = parameters.get("response_type")
    if response_type is None:
        return OAuthError("invalid_request", "response_type is missing")
    if response_type != "code":
        return OAuthError("unsupported_response_type", "the only response_type is code")
    return None


def the_response_mode_is_query(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OAuth 2.0 Multiple Response Types, 2.1."""
    if parameters.get("response_mode") not in (None, "query"):
        return OAuthError("invalid_request", "the only response_mode is query")
    return None


def the_client_may_ask(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 4.1.2.1."""
    if not client.check_grant_type("authorization_code"):
        return OAuthError("unauthorized_client", "the client may not use this grant")
    return None


def something_is_asked_for(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 3.3.  Scopes the client may not have are left out (OIDC Core, 3.1.2.1); one must remain."""
    asked = parameters.words("scope")
    if not all(SCOPE.fullmatch(scope) for scope in asked):
        return OAuthError("invalid_scope", "scope has characters that are not allowed")
    if not client.scopes.intersection(asked):
        return OAuthError("invalid_scope", "no scope that the client may have")
    return None


def the_challenge_is_s256(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 7636, 4.3 and 4.4.1; RFC 9700, 2.1.1: plain is refused."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256":
        return OAuthError("invalid_request", "code_challenge_method must be S256")
    if challenge is None or not CHALLENGE.fullmatch(challenge):
        return OAuthError("invalid_request", "code_challenge is missing or malformed")
    return None


def the_code_is_bound(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """By PKCE; a client that is exempted binds it by a nonce instead (RFC 9700, 2.1.1)."""
    if parameters.get("code_challenge") is not None:
        return None
    if client.metadata.require_pkce or client.metadata.public:
        return OAuthError("invalid_request", "code_challenge is required")
    if parameters.get("nonce") is None or "openid" not in client.scopes.intersection(parameters.words("scope")):
        return OAuthError("invalid_request", "code_challenge, or scope openid with a nonce, is required")
    return None


def the_prompt_is_known(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.1.2.1."""
    prompt = frozenset(parameters.words("prompt"))
    if prompt - PROMPTS:
        return OAuthError("invalid_request", "prompt is not supported")
    if "none" in prompt and len(prompt) > 1:
        return OAuthError("invalid_request", "prompt none stands alone")
    return None


def the_age_is_a_number(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.1.2.1."""
    if not SECONDS.fullmatch(parameters.get("max_age") or "0"):
        return OAuthError("invalid_request", "max_age must be a number of seconds")
    return None


Check = Callable[[Parameters, RegisteredClient], OAuthError | None]
CHECKS: tuple[Check, ...] = (
    each_parameter_once,
    the_state_can_be_given_back,
    no_request_object,
    the_response_type_is_code,
    the_response_mode_is_query,
    the_client_may_ask,
    something_is_asked_for,
    the_challenge_is_s256,
    the_code_is_bound,
    the_prompt_is_known,
    the_age_is_a_number,
)


def _accepted(parameters: Parameters, client: RegisteredClient, redirect_uri: str) -> AuthorizationRequest:
    max_age = int(parameters.get("max_age") or -1)
    prompt = frozenset(parameters.words("prompt"))
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        redirect_uri_given=parameters.get("redirect_uri") is not None,
        scope=tuple(scope for scope in parameters.words("scope") if scope in client.scopes),
        state=_state(parameters),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompt=prompt,
        max_age=None if max_age < 0 else max_age,
        login_hint=parameters.get("login_hint"),
        ui_locales=parameters.words("ui_locales"),
    )


def _state(parameters: Parameters) -> str | None:
    state = parameters.get("state")
    return state if state is not None and VISIBLE.fullmatch(state) else None
