"""Sign-out at a client's wish (OpenID Connect RP-Initiated Logout 1.0).

A valid ID token of this very session is the client's proof that the person asked for it; without one the person is
asked first, by the sign-out page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, make_response, render_template, request

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.sessions import LiveSession, end_session
from idp.models import Account
from idp.oauth.answer import see_other, with_parameters
from idp.oauth.blueprint import blueprint
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.id_token import read_hint
from idp.oauth.interaction import keep, kept
from idp.oauth.parameters import Parameters, read_parameters
from idp.service import Service


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
    asked = read_logout_request(g.here.service, read_parameters(source.items(multi=True)))
    if g.session is not None and asked.sid != str(g.session.id):
        return _ask(asked, g.here.now)
    if g.session is not None:
        _sign_out(g.here, g.session, asked)
        g.session = None
    return see_other(asked.target) if asked.target else make_response(render_template("signed_out.html"))


def read_logout_request(service: Service, parameters: Parameters) -> LogoutRequest:
    """A hint that is not ours, or for another client than the one named, proves nothing (RP-Initiated Logout, 2)."""
    hint = read_hint(service, parameters.get("id_token_hint") or "")
    named = parameters.get("client_id")
    if hint is not None and named not in (None, hint["aud"]):
        hint = None
    client = find_client(hint["aud"] if hint else named)
    if client is None:
        return LogoutRequest(None, None, None)
    return LogoutRequest(client, hint["sid"] if hint else None, _target(parameters, client))


def after_sign_out(token: str, now: datetime) -> str | None:
    """Where the browser goes once the person has agreed to sign out; `token` is what the page carried."""
    row = kept(token, now)
    target: Any = row.parameters.get("after_sign_out") if row else None
    return str(target) if target else None


def _target(parameters: Parameters, client: RegisteredClient) -> str | None:
    """Registered exactly like this, or nowhere (RP-Initiated Logout, 3)."""
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None or uri not in client.metadata.post_logout_redirect_uris:
        return None
    return with_parameters(uri, state=parameters.get("state"))


def _ask(asked: LogoutRequest, now: datetime) -> Response:
    token = keep(now, asked.client, {"after_sign_out": asked.target}) if asked.client and asked.target else None
    return make_response(render_template("sign_out.html", request_id=token))


def _sign_out(here: Here, session: LiveSession, asked: LogoutRequest) -> None:
    end_session(here, session.id, "signed out at a client")
    client = asked.client.client_id if asked.client else None
    account = db.session.get(Account, session.account_id)
    record(here, "signed-out", account, before={"open": True}, after={"open": False, "client": client})
