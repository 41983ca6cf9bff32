"""Going from here to a system, signed in: it is told to begin the sign-in itself (OIDC Core, 4)."""

from flask import Blueprint, abort, g, redirect
from werkzeug.wrappers import Response

from idp.oauth.answer import with_parameters
from idp.oauth.clients import find_client

bp = Blueprint("open_system", __name__)


@bp.get("/open/<client_id>")
def show(client_id: str) -> Response:
    """To the address the client registered for it, with our name and the person's login as a hint."""
    client = find_client(client_id)
    address = client.metadata.initiate_login_uri if client else None
    if address is None:
        abort(404)
    iss = g.here.service.settings.base_url
    return redirect(with_parameters(address, iss=iss, login_hint=g.session.login), 303)
