"""Which answers a browser hands to scripts of other sites (Fetch, 3.2; OAuth 2.0 for Browser-Based Apps, cross-origin
requests): those of the endpoints that an application in the browser calls.

Any site, and never with cookies.  These endpoints look at no cookie; whoever reads an answer has sent the code, the
token or the secret it was given for, and could have sent it from anywhere.  A list of the origins of registered
clients would keep out nobody but browsers that behave, and a preflight does not name the client it is for: the list
would be looked up for nothing.  Discovery and the public keys say the same of themselves where they are made.
"""

from flask import Flask, Response, request

SHARED = frozenset({"/oauth/token", "/oauth/userinfo", "/oauth/revoke"})
READABLE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce",  # RFC 6750, 3; RFC 9449, 8
}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "7200",  # seconds; Chromium remembers no longer
}


def init_app(app: Flask) -> None:
    """Have the answers say so, refusals included; Flask itself answers OPTIONS for every route."""
    app.after_request(share)


def share(response: Response) -> Response:
    """Add to an answer what browsers ask for; programs send no Origin, and pay for one look into the request.

    No cache keeps these answers, so they need no `Vary`.
    """
    if "HTTP_ORIGIN" in request.environ and request.path in SHARED:
        response.headers.update(PREFLIGHT if request.method == "OPTIONS" else READABLE)
    return response
