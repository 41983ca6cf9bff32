"""The page behind a one-time link: choosing the first password (4.4, 5.1).  Looking at it does not spend it."""

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response

from idp.flows.activate import activate, find_invitation
from idp.flows.appointments import contacts_for
from idp.service import service
from idp.web.advice import advice, suggestion
from idp.web.language import language

bp = Blueprint("activation", __name__, url_prefix="/activation")


@bp.get("/<token>")
def show(token: str) -> str | tuple[str, int]:
    return _page(token, [])


@bp.post("/<token>/advice")
def advise(token: str) -> Response:
    invitation = find_invitation(token, g.here.now) or abort(404)
    return advice(invitation.account_id)


@bp.post("/<token>")
def submit(token: str) -> str | tuple[str, int]:
    invitation = find_invitation(token, g.here.now)
    if invitation and (suggested := suggestion(invitation.account_id)):
        return _page(token, [], suggested)
    refusal = activate(g.here, token, request.form.get("password", ""), request.form.get("again", ""))
    if refusal is None:
        return render_template("activation_done.html")
    if refusal.code == "spent":
        return _spent()
    return _page(token, refusal.details["broken"])


def _page(token: str, broken: list[str], suggested: str | None = None) -> str | tuple[str, int]:
    invitation = find_invitation(token, g.here.now)
    if invitation is None:
        return _spent()
    page = render_template(
        "activation.html",
        login=invitation.login,
        display_name=invitation.display_name,
        limits=service().profile.rules.password,
        refusals=broken,
        suggestion=suggested,
    )
    return (page, 422) if broken else page


def _spent() -> tuple[str, int]:
    return render_template("activation_spent.html", contacts=contacts_for((), g.here.now, language())), 410
