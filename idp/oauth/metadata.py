"""What clients find out by themselves: metadata and public keys (OIDC Discovery 1.0; RFC 8414; RFC 7517, 5)."""

from collections.abc import Sequence
from typing import Any

from flask import Response, g, jsonify

from idp.flows.signing_keys import ALGORITHM, published_keys
from idp.oauth.blueprint import blueprint
from idp.oauth.client_authentication import METHODS
from policies.claims import CLAIMS

CACHED = "public, max-age=300"  # seconds; keys are published for longer than this before they sign


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """One document for both specifications; each ignores what it does not know."""
    house = g.here.service
    return _for_everybody(describe(house.settings.base_url, house.profile.institution.languages))


@blueprint.get("/oauth/jwks")
def jwks() -> Response:
    """The keys that tokens are checked with."""
    return _for_everybody(published_keys(g.here.service))


def describe(issuer: str, languages: Sequence[str]) -> dict[str, Any]:
    """The metadata of the provider at `issuer`: what is there, nothing that is planned."""
    claims = [claim for claims in CLAIMS.values() for claim in claims]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "scopes_supported": ["openid", *CLAIMS],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", *claims],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": list(languages),
    }


def _for_everybody(document: dict[str, Any]) -> Response:
    """JSON that may be cached, and read by scripts of any site: it is the same for all (Fetch, CORS)."""
    response = jsonify(document)
    response.headers["Cache-Control"] = CACHED
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
