"""The userinfo endpoint (OIDC Core, 5.3; RFC 6750): who the person is, as far as the grant's scope opens it.

The token alone is not enough: its grant must stand and the account be open at this moment.
"""

from typing import Any, NamedTuple

from flask import Response, g, jsonify, request

from idp.flows.here import Here
from idp.flows.signing_keys import DEFAULT_ALGORITHM, sign
from idp.oauth.access_token import open_access_token
from idp.oauth.blueprint import blueprint
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.confirmation import expected_of, holder_refusal
from idp.oauth.dpop import NONCE_HEADER, current_nonce
from idp.oauth.encryption import encrypted
from idp.oauth.errors import OAuthError
from idp.oauth.parameters import read_parameters
from idp.oauth.people import claims_of
from policies.registration import SIGNATURES

SCHEMES = ("bearer", "dpop")
STATUS = {  # RFC 6750, 3.1; RFC 9449, 7.1 and 9
    "invalid_request": 400,
    "invalid_token": 401,
    "insufficient_scope": 403,
    "invalid_dpop_proof": 401,
    "use_dpop_nonce": 401,
}
STALE = OAuthError("invalid_token", "the token is not valid any more")


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """The claims as JSON, or signed and encrypted where the client registered that (OIDC Core, 5.3.2); or why not."""
    presented = _presented_token()
    if presented is None:
        return _refused(None)
    found = presented if isinstance(presented, OAuthError) else _claims(g.here, presented)
    return _refused(found) if isinstance(found, OAuthError) else _told(g.here, *found)


class Presented(NamedTuple):
    """An access token as it came; `by_dpop`: under the scheme DPoP (RFC 9449, 7.1), else as a bearer token."""

    token: str
    by_dpop: bool


def _presented_token() -> Presented | OAuthError | None:
    """From the header or from the body, not from both and never from the query (RFC 6750, 2; RFC 9700, 4.3.2)."""
    scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
    form = read_parameters(request.form.items(multi=True))
    if "access_token" in form.faulty:
        return OAuthError("invalid_request", "a parameter is repeated or unreadable")
    in_header = in_header.strip() if scheme.lower() in SCHEMES else ""
    found = [token for token in (in_header, form.get("access_token")) if token]
    if len(found) > 1:
        return OAuthError("invalid_request", "the token was sent twice")
    return Presented(found[0], bool(in_header) and scheme.lower() == "dpop") if found else None


def _claims(here: Here, presented: Presented) -> tuple[RegisteredClient, dict[str, Any]] | OAuthError:
    """Whose token it is, and what it opens: its audience must be ourselves (RFC 9068, 4), its sender the holder."""
    token = open_access_token(here.service, presented.token, here.now)
    client = find_client(token.client_id) if token else None
    if token is None or client is None or here.service.settings.base_url not in token.audience:
        return STALE
    if presented.by_dpop or token.confirmation:
        expected = expected_of(client, request.method, here.service.settings.base_url + request.path, presented.token)
        refusal = holder_refusal(here, request.headers, token.confirmation, presented.by_dpop, expected)
        if refusal is not None:
            return refusal
    if "openid" not in token.scope or token.grant_id is None:
        return OAuthError("insufficient_scope", "scope openid is needed")
    claims = claims_of(here, client, token.grant_id, token.scope)
    return STALE if claims is None else (client, claims)


def _told(here: Here, client: RegisteredClient, claims: dict[str, Any]) -> Response:
    algorithm = client.metadata.userinfo_signed_response_alg
    if algorithm is None and client.metadata.userinfo_encrypted_response_alg is None:
        return jsonify(claims)
    addressed = {"iss": here.service.settings.base_url, "aud": client.client_id, **claims}
    signed = sign(here.service, "JWT", addressed, algorithm or DEFAULT_ALGORITHM)
    return Response(encrypted(here.service, client, "userinfo", signed), mimetype="application/jwt")


def _refused(refusal: OAuthError | None) -> Response:
    """A challenge (RFC 6750, 3; RFC 9449, 7.1): without any token it tells no more than that one is needed."""
    if refusal is None:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    response = jsonify(error=refusal.error, error_description=refusal.description)
    response.status_code = STATUS[refusal.error]
    said = f'error="{refusal.error}", error_description="{refusal.description}"'
    by_dpop = request.authorization is not None and request.authorization.type == "dpop"
    response.headers["WWW-Authenticate"] = (
        f'DPoP {said}, algs="{" ".join(SIGNATURES)}"' if by_dpop else f"Bearer {said}"
    )
    if by_dpop:
        response.headers[NONCE_HEADER] = current_nonce(g.here.service, g.here.now)
    return response
