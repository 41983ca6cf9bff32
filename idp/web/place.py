"""The place a request comes from: its id, its client, its browser session, and the headers every answer gets.

Puts `flask.g.here` (`idp.flows.here.Here`), `flask.g.session` (`LiveSession` or None) and `flask.g.outlived` there for
the views: a session past its limits, which opens nothing and can only be ended.  For a program no session is looked for
(`idp/web/audience.py`).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from flask import Flask, abort, g, request, session
from werkzeug.wrappers import Response

from idp.crypto import new_token
from idp.flows.here import Here
from idp.flows.sessions import LiveSession, find_session, touch_session
from idp.oauth.check_session import change_browser_state
from idp.service import Service, service
from idp.settings import Settings
from idp.web.audience import for_programs
from policies.permissions import Who

LONGEST_TOKEN = 100  # characters
MAX_FIELDS = 1_000  # of a form
DEVICE_KNOWN = timedelta(days=400)  # as long as browsers keep a cookie at most
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
FILES = {"static", "bootstrap.static"}
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
HTTPS = (("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),)


TAKES_FILES, MOST_WITH_FILE = "desk.confirm", 8_000_000  # bytes of a whole request


def init_app(app: Flask, settings: Settings) -> None:
    """Have every request placed before anything else looks at it, and every answer get its headers."""
    headers = ALWAYS + (HTTPS if settings.https else ())
    app.before_request(_place)
    app.before_request(_let_files_in)
    app.after_request(lambda response: _with_headers(response, headers))


def _let_files_in() -> None:
    """Where a page takes a file, one somewhat too big is read, so that the answer can say what is wrong with it."""
    if request.endpoint == TAKES_FILES:
        request.max_content_length = MOST_WITH_FILE


def cookie_name(settings: Settings, what: str) -> str:
    """`__Host-` binds the cookie to this very host; plain http (development only) can't have it."""
    return f"__Host-achkych-{what}" if settings.https else f"achkych-{what}"


def keep_session(response: Response, token: str) -> None:
    """Give the browser its session; it forgets it when it closes (5.6: no «remember me»).

    What it keeps longer opens nothing: by it the browser is known again at the next sign-in.
    """
    settings = service().settings
    response.set_cookie(
        cookie_name(settings, "session"), token, secure=settings.https, httponly=True, samesite="Lax", path="/"
    )
    response.set_cookie(
        cookie_name(settings, "device"), g.device, max_age=DEVICE_KNOWN,
        secure=settings.https, httponly=True, samesite="Lax", path="/",
    )  # fmt: skip
    change_browser_state(response)


def drop_session(response: Response) -> None:
    """Take the session back from the browser, and what its pages kept there except the language."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    settings = service().settings
    response.delete_cookie(
        cookie_name(settings, "session"), secure=settings.https, httponly=True, samesite="Lax", path="/"
    )
    change_browser_state(response)


def _place() -> None:
    house = service()
    g.request_id = new_token()[:16]
    structlog.contextvars.bind_contextvars(request_id=g.request_id)  # in place of the one before: nothing else is bound
    g.session = g.outlived = None
    if request.host != house.settings.host and not request.path.startswith("/health/"):
        abort(400)
    if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= MAX_FIELDS:
        abort(413)  # Werkzeug counts the fields of multipart forms only
    g.here = _circumstances(house) if for_programs(request.path) else _of_person(house)


def _circumstances(house: Service) -> Here:
    """Of nobody in particular; programs prove themselves inside their endpoints."""
    return Here(
        service=house,
        now=house.clock.now(),
        actor="anonymous",
        request_id=g.request_id,
        address=request.remote_addr,
        agent=request.headers.get("User-Agent", ""),
    )


def _of_person(house: Service) -> Here:
    """A change that comes from another site's page: 400 (ASVS 3.5.1).  Else whoever is signed in in this browser."""
    if request.method in CHANGING and not _takes_foreign_forms() and _is_from_elsewhere(house.settings.base_url):
        abort(400)
    g.device = request.cookies.get(cookie_name(house.settings, "device")) or new_token()
    here = replace(_circumstances(house), device=g.device[:LONGEST_TOKEN])
    session, who = _live_session(house, here.now)
    if session is None:
        return here
    touch_session(session, here.now)
    g.session = session
    actor = f"account/{session.login}"
    return replace(here, actor=actor, who=who, account_id=session.account_id, session_id=session.id)


def _takes_foreign_forms() -> bool:
    """A client's page posts to the provider by standard (OIDC Core, 3.1.2.1; RP-Initiated Logout, 2)."""
    return request.path.startswith("/oauth/")


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
    if session.alive(now, rules):
        return session, who
    g.outlived = session
    return None, None


def _with_headers(response: Response, headers: tuple[tuple[str, str], ...]) -> Response:
    """`headers` in one piece: set one by one they cost more than many an answer."""
    if "Cache-Control" not in response.headers and request.endpoint not in FILES:
        response.headers.add("Cache-Control", "no-store")
    if "Content-Security-Policy" not in response.headers:
        response.headers.add(
            "Content-Security-Policy", content_policy(g.get("form_target", ""), g.get("frame_origins", ""))
        )
    response.headers.extend(headers)
    if g.get("signed_out"):
        drop_session(response)
    return response


@lru_cache(maxsize=64)
def content_policy(form_target: str, frame_origins: str = "") -> str:
    """The Content-Security-Policy; `form_target` is the client a form of this page may lead on to, `frame_origins` are
    those whose pages it shows in frames."""
    frames = f"frame-src {frame_origins}; " if frame_origins else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"font-src 'self'; {frames}form-action 'self' {form_target}; frame-ancestors 'none'; base-uri 'none'"
    ).replace(" ;", ";")
