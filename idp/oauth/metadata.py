"""What clients find out by themselves: metadata and public keys (OIDC Discovery 1.0; RFC 8414; RFC 7517, 5)."""

from collections.abc import Sequence
from typing import Any

from flask import Response, g, jsonify

from idp.flows.signing_keys import ALGORITHMS, published_keys
from idp.oauth.authorization_checks import DISPLAYS
from idp.oauth.blueprint import blueprint
from idp.oauth.client_authentication import CONFIDENTIAL, METHODS
from idp.oauth.response_mode import RESPONSE_MODES
from idp.oauth.server import provider
from policies.assurance import ACR_VALUES
from policies.claims import CLAIMS
from policies.registration import (
    BY_CERTIFICATE,
    CIPHERS,
    CLIENT_SIGNATURES,
    IMPLICIT,
    KEY_WRAPS,
    RESPONSE_TYPES,
    SIGNATURES,
)

OF_THE_SIGN_IN = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "c_hash", "sid",
)  # fmt: skip
CACHED = "public, max-age=300"  # seconds; keys are published for longer than this before they sign

LOGOUT = {
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "frontchannel_logout_supported": True,
    "frontchannel_logout_session_supported": True,
}


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """One document for both specifications; each ignores what it does not know."""
    house = g.here.service
    settings, languages = house.settings, house.profile.institution.languages
    return _for_everybody(describe(settings.base_url, languages, settings.client_certificate_header is not None))


@blueprint.get("/oauth/jwks")
def jwks() -> Response:
    """The keys that tokens are checked with."""
    return _for_everybody(published_keys(g.here.service))


def describe(issuer: str, languages: Sequence[str], certificates: bool) -> dict[str, Any]:
    """The metadata of the provider at `issuer`: what is there, nothing that is planned.

    `certificates`: the proxy hands on those of clients (RFC 8705).
    """
    return {
        "issuer": issuer,
        **_places(issuer),
        **_about_people(),
        **_about_requests(languages),
        **_about_signing(),
        **_about_clients(certificates),
        **LOGOUT,
    }


def _places(issuer: str) -> dict[str, str]:
    return {
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "device_authorization_endpoint": f"{issuer}/oauth/device_authorization",
        "registration_endpoint": f"{issuer}/oauth/register",  # for whoever has an initial access token
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "check_session_iframe": f"{issuer}/oauth/check-session",
    }


def _about_people() -> dict[str, Any]:
    """What is told of a sign-in and of a person (OIDC Discovery, 3)."""
    return {
        "scopes_supported": ["openid", *CLAIMS],
        "claims_supported": [*OF_THE_SIGN_IN, *(claim for claims in CLAIMS.values() for claim in claims)],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "subject_types_supported": ["public", "pairwise"],
        "acr_values_supported": ACR_VALUES,
    }


def _about_requests(languages: Sequence[str]) -> dict[str, Any]:
    """How people may be sent here, and how they come back (RFC 9101, 10.5; RFC 9126, 5; RFC 9207, 3)."""
    return {
        "response_types_supported": RESPONSE_TYPES,
        "response_modes_supported": RESPONSE_MODES,
        "grant_types_supported": [*(grant.GRANT_TYPE for grant, _ in provider.grants), IMPLICIT],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": DISPLAYS,
        "ui_locales_supported": list(languages),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,
        "require_pushed_authorization_requests": False,
    }


def _about_signing() -> dict[str, Any]:
    """What we sign and encrypt with, and what we check."""
    return {
        "id_token_signing_alg_values_supported": ALGORITHMS,
        "id_token_encryption_alg_values_supported": KEY_WRAPS,
        "id_token_encryption_enc_values_supported": CIPHERS,
        "userinfo_signing_alg_values_supported": ALGORITHMS,
        "userinfo_encryption_alg_values_supported": KEY_WRAPS,
        "userinfo_encryption_enc_values_supported": CIPHERS,
        "authorization_signing_alg_values_supported": ALGORITHMS,
        "introspection_signing_alg_values_supported": ALGORITHMS,
        "request_object_signing_alg_values_supported": SIGNATURES,
        "dpop_signing_alg_values_supported": SIGNATURES,
    }


def _about_clients(certificates: bool) -> dict[str, Any]:
    """How clients prove themselves, where (RFC 8414, 2; RFC 8705, 3.3)."""
    methods = [method for method in METHODS if certificates or method not in BY_CERTIFICATE]
    return {
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": CLIENT_SIGNATURES,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": CLIENT_SIGNATURES,
        "introspection_endpoint_auth_methods_supported": [method for method in methods if method in CONFIDENTIAL],
        "introspection_endpoint_auth_signing_alg_values_supported": CLIENT_SIGNATURES,
        "tls_client_certificate_bound_access_tokens": certificates,
    }


def _for_everybody(document: dict[str, Any]) -> Response:
    """JSON that may be cached, and read by scripts of any site: it is the same for all (Fetch, CORS)."""
    response = jsonify(document)
    response.headers["Cache-Control"] = CACHED
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
