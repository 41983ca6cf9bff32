"""What an authorization request must fulfil, as a list from top to bottom (RFC 6749, 4.1.1; OIDC Core, 3.1.2.2; RFC 7636;
RFC 8707; RFC 9126; RFC 9396; FAPI 2.0 Security Profile, 5.3).

Each check tells what is wrong, or nothing.  Client and redirect URI hold already when it comes to these.
"""

import re
from collections.abc import Callable

from idp.json_body import NotJson, read_storable
from idp.oauth.claims_request import read_claims
from idp.oauth.clients import RegisteredClient
from idp.oauth.errors import OAuthError
from idp.oauth.parameters import Parameters
from idp.oauth.response_mode import RESPONSE_MODES, mode_is_safe
from policies.registration import RESPONSE_TYPES

CHALLENGE = re.compile(r"[A-Za-z0-9_\-]{43}")  # BASE64URL(SHA256(...)), RFC 7636, 4.2; RFC 7638, 3
VISIBLE = re.compile(r"[\x20-\x7E]+")  # VSCHAR, RFC 6749, appendix A.5
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749, 3.3
SECONDS = re.compile(r"[0-9]{1,9}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
DISPLAYS = ("page", "popup", "touch", "wap")
MOST_DETAILS = 20
READ_ONCE = frozenset({
    "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "login_hint", "ui_locales",
    "code_challenge", "code_challenge_method", "registration", "claims", "acr_values", "id_token_hint", "display",
    "resource", "authorization_details", "dpop_jkt",
})  # fmt: skip


def response_type_of(parameters: Parameters) -> str:
    """The response type with its words in one order (OAuth 2.0 Multiple Response Types, 3); empty when there is none."""
    return " ".join(sorted(parameters.words("response_type")))


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


def no_registration_on_the_way(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 7.2.1."""
    if parameters.get("registration") is not None:
        return OAuthError("registration_not_supported", "registration is not supported")
    return None


def the_response_type_is_registered(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 3.1.1; never a token from here (RFC 9700, 2.1.2)."""
    response_type = response_type_of(parameters)
    if not response_type:
        return OAuthError("invalid_request", "response_type is missing")
    if response_type not in RESPONSE_TYPES:
        return OAuthError("unsupported_response_type", f"response_type must be one of: {', '.join(RESPONSE_TYPES)}")
    if response_type not in client.metadata.response_types:
        return OAuthError("unauthorized_client", "the client is not registered for this response_type")
    return None


def the_response_mode_can_carry_it(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OAuth 2.0 Multiple Response Types, 5."""
    mode = parameters.get("response_mode")
    if mode is not None and mode not in RESPONSE_MODES:
        return OAuthError("invalid_request", "response_mode is not supported")
    if mode is not None and not mode_is_safe(mode, response_type_of(parameters)):
        return OAuthError("invalid_request", "response_mode can't carry this response_type")
    return None


def the_client_may_ask(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 4.1.2.1."""
    if "code" in parameters.words("response_type") and not client.check_grant_type("authorization_code"):
        return OAuthError("unauthorized_client", "the client may not use this grant")
    return None


def something_is_asked_for(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 6749, 3.3.  Scopes the client may not have are left out (OIDC Core, 3.1.2.1); one must remain."""
    asked = parameters.words("scope")
    if not all(SCOPE.fullmatch(scope) for scope in asked):
        return OAuthError("invalid_scope", "scope has characters that are not allowed")
    if not client.scopes.intersection(asked) and not parameters.get("authorization_details"):
        return OAuthError("invalid_scope", "no scope that the client may have")
    if "id_token" in parameters.words("response_type") and "openid" not in client.scopes.intersection(asked):
        return OAuthError("invalid_scope", "an ID token needs scope openid")
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
    """By PKCE; a client that is exempted binds it by a nonce (RFC 9700, 2.1.1), unless it can't do that either and was
    exempted from it as well (Moodle)."""
    if parameters.get("code_challenge") is not None or "code" not in parameters.words("response_type"):
        return None
    if client.metadata.require_pkce or client.metadata.public:
        return OAuthError("invalid_request", "code_challenge is required")
    bound = parameters.get("nonce") is not None and "openid" in parameters.words("scope")
    if client.metadata.require_nonce and not bound:
        return OAuthError("invalid_request", "code_challenge, or scope openid with a nonce, is required")
    return None


def the_id_token_is_bound(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.2.2.1 and 3.3.2.11: what comes through the browser needs a nonce."""
    if "id_token" in parameters.words("response_type") and parameters.get("nonce") is None:
        return OAuthError("invalid_request", "nonce is required")
    return None


def the_prompt_is_known(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.1.2.1."""
    prompt = frozenset(parameters.words("prompt"))
    if prompt - PROMPTS:
        return OAuthError("invalid_request", "prompt is not supported")
    if "none" in prompt and len(prompt) > 1:
        return OAuthError("invalid_request", "prompt none stands alone")
    return None


def the_display_is_known(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.1.2.1; the pages fit every display."""
    if parameters.get("display") not in (None, *DISPLAYS):
        return OAuthError("invalid_request", "display is not supported")
    return None


def the_age_is_a_number(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 3.1.2.1."""
    if not SECONDS.fullmatch(parameters.get("max_age") or "0"):
        return OAuthError("invalid_request", "max_age must be a number of seconds")
    return None


def the_claims_can_be_read(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """OIDC Core, 5.5."""
    if read_claims(parameters.get("claims")) is None:
        return OAuthError("invalid_request", "claims is not a claims request")
    return None


def the_resources_are_the_clients(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 8707, 2."""
    if not set(parameters.all("resource")) <= set(client.metadata.resources):
        return OAuthError("invalid_target", "the client may not ask for this resource")
    return None


def the_details_are_of_known_types(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 9396, 5: of types the client is registered for."""
    text = parameters.get("authorization_details")
    if text is None:
        return None
    try:
        details = read_storable(text.encode())
    except NotJson:
        return OAuthError("invalid_authorization_details", "authorization_details is not JSON")
    known = client.metadata.authorization_details_types
    of_known_types = (
        isinstance(details, list)
        and 0 < len(details) <= MOST_DETAILS
        and all(isinstance(item, dict) and item.get("type") in known for item in details)
    )
    if not of_known_types:
        return OAuthError("invalid_authorization_details", "a type the client may not use, or no list of objects")
    return None


def the_key_is_a_thumbprint(parameters: Parameters, client: RegisteredClient) -> OAuthError | None:
    """RFC 9449, 10."""
    if not CHALLENGE.fullmatch(parameters.get("dpop_jkt") or "-" * 43):
        return OAuthError("invalid_request", "dpop_jkt is not the thumbprint of a key")
    return None


Check = Callable[[Parameters, RegisteredClient], OAuthError | None]
CHECKS: tuple[Check, ...] = (
    each_parameter_once,
    the_state_can_be_given_back,
    no_registration_on_the_way,
    the_response_type_is_registered,
    the_response_mode_can_carry_it,
    the_client_may_ask,
    something_is_asked_for,
    the_challenge_is_s256,
    the_code_is_bound,
    the_id_token_is_bound,
    the_prompt_is_known,
    the_display_is_known,
    the_age_is_a_number,
    the_claims_can_be_read,
    the_resources_are_the_clients,
    the_details_are_of_known_types,
    the_key_is_a_thumbprint,
)
