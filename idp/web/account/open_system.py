"""Going from here to a system, signed in: it is told to begin the sign-in itself (OIDC Core, 4)."""

from flask import Blueprint, abort, g, redirect
from werkzeug.wrappers import Response

from idp.flows.launcher import doors
from idp.oauth.answer import with_parameters

bp = Blueprint("open_system", __name__)


@bp.get("/open/<client_id>")
def show(client_id: str) -> Response:
    """To the address the client registered for it, with our name and the person's login as a hint; only where the
    account page leads."""
    door = next((door for door in doors(g.session.account_id) if door.client_id == client_id), None)
    if door is None:
        abort(404)
    iss = g.here.service.settings.base_url
    return redirect(with_parameters(door.address, iss=iss, login_hint=g.session.login), 303)
