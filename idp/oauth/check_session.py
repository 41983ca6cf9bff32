"""Session management (OpenID Connect Session Management 1.0): how a client's page notices that something has changed
here, without asking the server again and again.

Owns the browser state, `session_state` and the page for the client's iframe.  The state is random and means nothing: it
changes when somebody signs in or out in this browser, scripts may read it, and it opens nothing.
"""

import hashlib
import secrets
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from idp.oauth.blueprint import blueprint
from idp.service import service
from idp.settings import Settings

FRAMED_ANYWHERE = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'"
CACHED = "public, max-age=300"  # seconds; the page is the same for everybody
DEFAULT_PORTS = {"https": 443, "http": 80}


@blueprint.get("/oauth/check-session")
def check_session() -> Response:
    """The page a client's page loads and asks (3.2); the only one of ours that may stand in a foreign frame."""
    page = render_template("check_session.html", cookie=_cookie_name(service().settings))
    headers = {"Content-Security-Policy": FRAMED_ANYWHERE, "Cache-Control": CACHED}
    return make_response(page, headers)


def session_state(client_id: str, redirect_uri: str, browser_state: str) -> str:
    """What an answer to `client_id` says of the browser's state (2); the browser computes the same again.

    The salt keeps two clients from finding out that they serve the same browser.
    """
    salt = secrets.token_urlsafe(12)
    said = " ".join((client_id, _origin(redirect_uri), browser_state, salt))
    return f"{hashlib.sha256(said.encode()).hexdigest()}.{salt}"


def browser_state() -> str | None:
    """The state of the browser behind this request; None before anybody has signed in there."""
    return request.cookies.get(_cookie_name(service().settings))


def change_browser_state(response: AnyResponse) -> None:
    """Somebody signs in or out: give the browser another state.  Every client's iframe will notice.

    Browsers show it to a client's iframe only with SameSite=None, which they take over https alone.
    """
    settings = service().settings
    response.set_cookie(
        _cookie_name(settings),
        secrets.token_urlsafe(16),
        secure=settings.https,
        httponly=False,  # reading it is what it is for
        samesite="None" if settings.https else "Lax",
        path="/",
    )


def _cookie_name(settings: Settings) -> str:
    return "__Host-achkych-state" if settings.https else "achkych-state"


def _origin(uri: str) -> str:
    """Scheme, host and port as browsers write them (HTML, 7.1): what `MessageEvent.origin` will say."""
    address = urlsplit(uri)
    port = address.port
    named = f":{port}" if port is not None and port != DEFAULT_PORTS.get(address.scheme) else ""
    host = address.hostname or ""
    return f"{address.scheme}://{f'[{host}]' if ':' in host else host}{named}"
