"""The revocation endpoint (RFC 7009, 2)."""

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response

from idp.oauth.blueprint import blueprint
from idp.oauth.revocation_endpoint import RevocationEndpoint
from idp.oauth.server import posted, provider, refused


@blueprint.post("/oauth/revoke")
def revoke() -> Response:
    """Revoke a token of the client that asks; a token nobody knows is as good as revoked."""
    try:
        request = posted()
    except OAuth2Error as error:
        return refused(error)
    response: Response = provider.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME, request)
    return response
