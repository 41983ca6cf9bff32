"""The page behind a one-time link, or the code of a slip: choosing the first password (4.4, 5.1).

Looking at it does not spend it.
"""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.flows.activate import activate, find_invitation
from idp.flows.appointments import contacts_for
from idp.flows.refusal import Refusal
from idp.flows.slips import awaits_hand_over, find_slip
from idp.service import service
from idp.web.advice import advice, suggestion
from idp.web.language import language
from policies.slips import LONGEST_ENTRY

bp = Blueprint("activation", __name__, url_prefix="/activation")


@bp.get("")
def ask() -> str:
    return _form()


@bp.post("")
def find() -> Response | str | tuple[str, int]:
    """The typed code leads to the page of the code."""
    found = find_slip(g.here, request.form.get("code", ""))
    if isinstance(found, Refusal):
        return _form(found.code), 429 if found.code == "throttled" else 422
    return redirect(url_for("activation.show", token=found), 303)


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
        return _closed(token)
    return _page(token, refusal.details["broken"])


def _form(refusal: str | None = None) -> str:
    """What was typed stays there: nobody likes to type 26 letters twice."""
    return render_template(
        "activation_code.html", refusal=refusal, entered=request.form.get("code", "")[:LONGEST_ENTRY]
    )


def _page(token: str, broken: list[str], suggested: str | None = None) -> str | tuple[str, int]:
    invitation = find_invitation(token, g.here.now)
    if invitation is None:
        return _closed(token)
    page = render_template(
        "activation.html",
        login=invitation.login,
        display_name=invitation.display_name,
        limits=service().profile.rules.password,
        refusals=broken,
        suggestion=suggested,
    )
    return (page, 422) if broken else page


def _closed(token: str) -> tuple[str, int]:
    """Why it opens nothing: only who has the slip is told that it was not handed over yet."""
    if awaits_hand_over(token, g.here.now):
        return render_template("activation_waiting.html", token=token), 409
    return render_template("activation_spent.html", contacts=contacts_for((), g.here.now, language())), 410
