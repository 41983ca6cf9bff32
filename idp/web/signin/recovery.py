"""Forgotten password, forgotten login, and the page behind the link (4.2, 4.3).  Looking at the link does not spend it.

Every question gets one answer: what it is about is looked up later, by a worker (`idp/flows/recover.py`).
"""

from datetime import timedelta

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response

from idp.flows.appointments import contacts_for
from idp.flows.recover import ask_to_recover
from idp.flows.refusal import Refusal
from idp.flows.reset_password import asks_for_code, find_reset, reset_password
from idp.service import service
from idp.web.advice import advice, suggestion
from idp.web.language import language
from idp.web.signin.passkey import options_for, proof
from policies.recovery import Forgotten

bp = Blueprint("recovery", __name__)


@bp.get("/forgotten-password")
def forgotten_password() -> str:
    return _form(Forgotten.PASSWORD)


@bp.post("/forgotten-password")
def ask_for_password() -> str | tuple[str, int]:
    return _asked(Forgotten.PASSWORD)


@bp.get("/forgotten-login")
def forgotten_login() -> str:
    return _form(Forgotten.LOGIN)


@bp.post("/forgotten-login")
def ask_for_login() -> str | tuple[str, int]:
    return _asked(Forgotten.LOGIN)


@bp.get("/recovery/<token>")
def show(token: str) -> str | tuple[str, int]:
    return _page(token)


@bp.post("/recovery/<token>/advice")
def advise(token: str) -> Response:
    invitation = find_reset(token, g.here.now) or abort(404)
    return advice(invitation.account_id)


@bp.post("/recovery/<token>")
def submit(token: str) -> str | tuple[str, int]:
    invitation = find_reset(token, g.here.now)
    if invitation and (suggested := suggestion(invitation.account_id)):
        return _page(token, suggested=suggested)
    password, again = (request.form.get(name, "") for name in ("password", "again"))
    refusal = reset_password(g.here, token, password, again, proof(f"reset/{token}"))
    if refusal is None:
        return render_template("activation_done.html", recovered=True)
    return _page(token, refusal)


def _form(forgotten: Forgotten, refusal: str | None = None) -> str:
    return render_template("forgotten.html", forgotten=forgotten.value, refusal=refusal)


def _asked(forgotten: Forgotten) -> str | tuple[str, int]:
    refusal = ask_to_recover(g.here, forgotten, request.form.get("entered", ""))
    if refusal is not None:
        return _form(forgotten, refusal.code), 429
    minutes = service().profile.rules.recovery.lifetime // timedelta(minutes=1)
    return render_template("forgotten_sent.html", forgotten=forgotten.value, minutes=minutes)


def _page(token: str, refusal: Refusal | None = None, suggested: str | None = None) -> str | tuple[str, int]:
    invitation = find_reset(token, g.here.now)
    if invitation is None:
        return render_template("activation_spent.html", recovered=True), 410
    page = render_template(
        "reset.html",
        login=invitation.login,
        limits=service().profile.rules.password,
        suggestion=suggested,
        refusal=refusal.code if refusal else None,
        refusals=refusal.details.get("broken", []) if refusal else [],
        asks_for_code=asks_for_code(invitation),
        passkey=options_for(f"reset/{token}", invitation.account_id),
        contacts=contacts_for((), g.here.now, language()) if refusal and refusal.code == "locked" else [],
    )
    return (page, 422) if refusal else page
