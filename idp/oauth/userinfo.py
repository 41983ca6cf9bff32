"""The userinfo endpoint (OIDC Core, 5.3; RFC 6750): who the person is, as far as the grant's scope opens it.

The token alone is not enough: its grant must stand and the account be open at this moment.
"""

from typing import Any

from flask import Response, g, jsonify, request

from idp.flows.here import Here
from idp.oauth.access_token import open_access_token
from idp.oauth.blueprint import blueprint
from idp.oauth.errors import OAuthError
from idp.oauth.parameters import read_parameters
from idp.oauth.people import claims_of

STATUS = {"invalid_request": 400, "invalid_token": 401, "insufficient_scope": 403}  # RFC 6750, 3.1
STALE = OAuthError("invalid_token", "the token is not valid any more")


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """The claims as JSON, or why not."""
    presented = _presented_token()
    if presented is None:
        return _refused(None)
    claims = presented if isinstance(presented, OAuthError) else _claims(g.here, presented)
    return _refused(claims) if isinstance(claims, OAuthError) else jsonify(claims)


def _presented_token() -> str | OAuthError | None:
    """From the header or from the body, not from both and never from the query (RFC 6750, 2; RFC 9700, 4.3.2)."""
    scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
    form = read_parameters(request.form.items(multi=True))
    if "access_token" in form.faulty:
        return OAuthError("invalid_request", "a parameter is repeated or unreadable")
    in_header = in_header.strip() if scheme.lower() == "bearer" else ""
    found = [token for token in (in_header, form.get("access_token")) if token]
    if len(found) > 1:
        return OAuthError("invalid_request", "the token was sent twice")
    return found[0] if found else None


def _claims(here: Here, presented: str) -> dict[str, Any] | OAuthError:
    token = open_access_token(here.service, presented, here.now)
    if token is None:
        return STALE
    if "openid" not in token.scope or token.grant_id is None:
        return OAuthError("insufficient_scope", "scope openid is needed")
    return claims_of(here, token.grant_id, token.scope) or STALE


def _refused(refusal: OAuthError | None) -> Response:
    """A challenge (RFC 6750, 3): without any token it tells no more than that one is needed."""
    if refusal is None:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    response = jsonify(error=refusal.error, error_description=refusal.description)
    response.status_code = STATUS[refusal.error]
    challenge = f'Bearer error="{refusal.error}", error_description="{refusal.description}"'
    response.headers["WWW-Authenticate"] = challenge
    return response
