"""The overview of one's own account, and taking back what one agreed to."""

from flask import Blueprint, abort, flash, g, redirect, render_template
from werkzeug.wrappers import Response

from idp.flows.list_consents import list_consents
from idp.flows.overview import overview
from idp.flows.withdraw_consent import withdraw_consent
from idp.oauth.clients import CLIENT_ID
from idp.web.language import language

bp = Blueprint("account", __name__)


@bp.get("/")
def home() -> Response:
    return redirect("/account", 303)


@bp.get("/account")
def show() -> str:
    consents = list_consents(g.session.account_id)
    return render_template("account.html", **overview(g.here, g.session, language()), consents=consents)


@bp.post("/account/consents/<client_id>/withdraw")
def withdraw(client_id: str) -> Response:
    """Said twice, it is as withdrawn as said once."""
    if not CLIENT_ID.fullmatch(client_id):
        abort(404)
    withdraw_consent(g.here, g.session.account, client_id)
    flash("consent-withdrawn", "notice")
    return redirect("/account", 303)
