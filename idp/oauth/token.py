"""The token endpoint (RFC 6749, 3.2): Authlib finds the grant, the grants stand in files of their own."""

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Response

from idp.oauth.blueprint import blueprint
from idp.oauth.server import posted, provider, refused


@blueprint.post("/oauth/token")
def token() -> Response:
    """Tokens, or an error as JSON (RFC 6749, 5)."""
    try:
        request = posted()
        if not request.payload.grant_type:
            raise InvalidRequestError("grant_type is missing")
    except OAuth2Error as error:
        return refused(error)
    response: Response = provider.create_token_response(request)
    return response
