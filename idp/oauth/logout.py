"""Sign-out at a client's wish (OpenID Connect RP-Initiated Logout 1.0), and the page at the end of every sign-out.

A valid ID token of this very session is the client's proof that the person asked for it; without one the person is
asked first, by the sign-out page.  An address to go to afterwards that can't be trusted is told the person at once:
nobody is sent anywhere, and nothing has ended.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, make_response, render_template, request, url_for

from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.sessions import LiveSession, end_session
from idp.flows.throttled import admit
from idp.oauth.answer import see_other, with_parameters
from idp.oauth.blueprint import blueprint
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.errors import UnsafeRequest
from idp.oauth.frontchannel_logout import frames_for, origins_of
from idp.oauth.id_token import read_hint
from idp.oauth.interaction import keep, kept
from idp.oauth.parameters import Parameters, read_parameters
from idp.service import Service

READ = frozenset({"id_token_hint", "client_id", "post_logout_redirect_uri", "state"})
FRAMES_TAKE = 3  # seconds until the browser goes on, where clients are told in frames


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """What was asked: by which client, proven for which session (`sid`), and where the browser goes afterwards."""

    client: RegisteredClient | None
    sid: str | None
    target: str | None


@blueprint.route("/oauth/logout", methods=["GET", "POST"])
def logout() -> Response:
    """End the session and go back to the client; or ask the person first."""
    source = request.args if request.method == "GET" else request.form
    parameters = read_parameters(source.items(multi=True))
    g.languages_wished = parameters.words("ui_locales")
    waiting = parameters.get("request") if request.method == "GET" else None
    asked = _come_back(waiting, g.here.now) if waiting else read_logout_request(g.here.service, parameters)
    session = g.session or g.outlived
    if session is None:
        return _come_again(asked, g.here) if request.method == "POST" else _end(asked.target)
    if asked.sid != str(session.id):
        return _ask(asked, g.here.now)
    _sign_out(g.here, session, asked)
    g.session, g.signed_out = None, True  # the answer takes the cookies back (idp/web/place.py)
    return _end(asked.target, frames_for(g.here.service, session.id))


def read_logout_request(service: Service, parameters: Parameters) -> LogoutRequest:
    """A hint that is not ours, or for another client than the one named, proves nothing (RP-Initiated Logout, 2).

    Raises `UnsafeRequest` when it says where to go afterwards, and that is not registered by a client we know.
    """
    named = parameters.get("client_id")
    if parameters.faulty & READ:
        raise UnsafeRequest("unreadable logout request", named)
    hint = read_hint(service, parameters.get("id_token_hint") or "")
    audience = _audience(hint)
    if hint is not None and named is not None and named not in audience:
        hint, audience = None, []
    client = find_client(named or next(iter(audience), None))
    sid = hint.get("sid") if hint and client else None
    return LogoutRequest(client, sid, _target(parameters, client))


def after_sign_out(token: str, now: datetime) -> str | None:
    """Where the browser goes once the person has agreed to sign out; `token` is what the page carried."""
    return _come_back(token, now).target


def signed_out_page(target: str | None, frames: tuple[str, ...] = ()) -> Response:
    """The end, or the way on to the client; meanwhile the `frames` tell other clients (Front-Channel Logout, 2).

    The browser is sent on by the page and not by a redirect: a redirect would still count as the target of the form
    on whichever page it was (Content-Security-Policy, form-action), and the frames would not be loaded.
    """
    g.frame_origins = origins_of(frames)
    response = make_response(render_template("signed_out.html", target=target, frames=frames))
    if target:
        response.headers["Refresh"] = f"{FRAMES_TAKE if frames else 0}; url={target}"
    return response


def _audience(hint: dict[str, Any] | None) -> list[str]:
    said = hint.get("aud") if hint else []
    return list(said) if isinstance(said, list) else [str(said)]


def _target(parameters: Parameters, client: RegisteredClient | None) -> str | None:
    """Registered exactly like this, or nowhere (RP-Initiated Logout, 3)."""
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or uri not in client.metadata.post_logout_redirect_uris:
        raise UnsafeRequest("post_logout_redirect_uri is not registered", client.client_id if client else None)
    return with_parameters(uri, state=parameters.get("state"))


def _end(target: str | None, frames: tuple[str, ...] = ()) -> Response:
    return see_other(target) if target and not frames else signed_out_page(target, frames)


def _ask(asked: LogoutRequest, now: datetime) -> Response:
    return make_response(render_template("sign_out.html", request_id=_put_aside(asked, now)))


def _come_again(asked: LogoutRequest, here: Here) -> Response:
    """A form on a client's page brings no cookie of ours along (SameSite=Lax); the browser's next step does."""
    admit(here)
    return see_other(url_for("oauth.logout", request=_put_aside(asked, here.now)))


def _put_aside(asked: LogoutRequest, now: datetime) -> str | None:
    """The token under which it is kept; None when nothing is worth keeping."""
    if asked.client is None or not (asked.target or asked.sid):
        return None
    return keep(now, asked.client, {"after_sign_out": asked.target, "sid": asked.sid})


def _come_back(token: str, now: datetime) -> LogoutRequest:
    row = kept(token, now)
    if row is None or "after_sign_out" not in row.parameters:
        return LogoutRequest(None, None, None)
    return LogoutRequest(find_client(row.client_id), row.parameters.get("sid"), row.parameters["after_sign_out"])


def _sign_out(here: Here, session: LiveSession, asked: LogoutRequest) -> None:
    end_session(here, session.id, "signed out at a client")
    client = asked.client.client_id if asked.client else None
    record(here, "signed-out", session.account, before={"open": True}, after={"open": False, "client": client})
