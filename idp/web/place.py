"""The place a request comes from: its id, its client, its browser session, and the headers every answer gets.

Puts `flask.g.here` (`idp.flows.here.Here`) and `flask.g.session` (`LiveSession` or None) there for the views.
"""

from datetime import datetime

import structlog
from flask import Flask, abort, current_app, g, request
from werkzeug.wrappers import Response

from idp.crypto import new_token
from idp.flows.here import Here
from idp.flows.sessions import LiveSession, find_session, touch_session
from idp.service import Service, service
from idp.settings import Settings
from policies.permissions import Who

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
FILES = {"static", "bootstrap.static"}


def init_app(app: Flask) -> None:
    """Have every request placed before anything else looks at it."""
    app.before_request(_place)
    app.after_request(_headers)


def cookie_name(settings: Settings, what: str) -> str:
    """`__Host-` binds the cookie to this very host; plain http (development only) can't have it."""
    return f"__Host-achkych-{what}" if settings.https else f"achkych-{what}"


def keep_session(response: Response, token: str) -> None:
    """Give the browser its session; it forgets it when it closes (5.6: no «remember me»)."""
    settings = service().settings
    response.set_cookie(
        cookie_name(settings, "session"), token, secure=settings.https, httponly=True, samesite="Lax", path="/"
    )


def drop_session(response: Response) -> None:
    """Take the session back from the browser."""
    settings = service().settings
    response.delete_cookie(
        cookie_name(settings, "session"), secure=settings.https, httponly=True, samesite="Lax", path="/"
    )


def _place() -> None:
    house = service()
    g.request_id = new_token()[:16]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    _refuse_foreign(house)
    now = house.clock.now()
    g.session, who = _live_session(house, now)
    if g.session:
        touch_session(g.session, now)
    g.here = Here(
        service=house,
        now=now,
        actor=f"account/{g.session.login}" if g.session else "anonymous",
        request_id=g.request_id,
        address=request.remote_addr,
        agent=request.headers.get("User-Agent", ""),
        who=who,
        account_id=g.session.account_id if g.session else None,
        session_id=g.session.id if g.session else None,
    )


def _refuse_foreign(house: Service) -> None:
    """Unknown Host: 400.  A change that comes from another site's page: 400 as well (ASVS 3.5.1)."""
    if request.host != house.settings.host and not request.path.startswith("/health/"):
        abort(400)
    machine = request.path.startswith(("/api/", "/oauth/"))
    if request.method in CHANGING and not machine and _is_from_elsewhere(house.settings.base_url):
        abort(400)


def _is_from_elsewhere(base_url: str) -> bool:
    """By Fetch Metadata; browsers without it are asked for Origin, which is «null» by our own Referrer-Policy.

    What neither tells is left to the form token.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    return request.headers.get("Origin", "null") not in ("null", base_url)


def _live_session(house: Service, now: datetime) -> tuple[LiveSession | None, Who | None]:
    """The session behind the cookie and its appointments; officers' sessions have tighter limits."""
    token = request.cookies.get(cookie_name(house.settings, "session"))
    session = find_session(token, now) if token and request.endpoint not in FILES else None
    if session is None:
        return None, None
    who = Who(account_id=str(session.account_id), appointments=session.appointments)
    rules = house.profile.rules.officer_session if who.appointments else house.profile.rules.session
    return (session, who) if session.alive(now, rules) else (None, None)


def _headers(response: Response) -> Response:
    if request.endpoint not in FILES:
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", content_policy(getattr(g, "form_target", "")))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.extensions["achkych"].settings.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def content_policy(form_target: str) -> str:
    """The Content-Security-Policy; `form_target` is the client a form of this page may lead on to."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"font-src 'self'; form-action 'self' {form_target}; frame-ancestors 'none'; base-uri 'none'"
    ).replace(" ;", ";")
