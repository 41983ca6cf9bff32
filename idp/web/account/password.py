"""Changing the password: with the present one, unless the sign-in is fresh (5.1, 5.7)."""

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.appointments import Contact, contacts_for
from idp.flows.change_password import change_password
from idp.flows.departments import departments_of
from idp.flows.refusal import Refusal
from idp.models import Account
from idp.service import service
from idp.web.advice import advice, suggestion
from idp.web.language import language
from policies.sessions import is_fresh

bp = Blueprint("password", __name__, url_prefix="/account/password")


@bp.get("")
def show() -> str:
    return _page()


@bp.post("/advice")
def advise() -> Response:
    return advice(g.session.account_id)


@bp.post("")
def submit() -> Response | str | tuple[str, int]:
    if suggested := suggestion(g.session.account_id):
        return _page(suggested=suggested)
    typed = (request.form.get(name, "") for name in ("present", "password", "again"))
    refusal = change_password(g.here, g.session, *typed)
    if refusal is not None:
        return _page(refusal), 422
    flash("password-changed", "notice")
    return redirect("/account", 303)


def _page(refusal: Refusal | None = None, suggested: str | None = None) -> str:
    code = refusal.code if refusal else None
    return render_template(
        "change_password.html",
        login=g.session.login,
        ask_present=not is_fresh(g.session.authenticated_at, g.here.now),
        refusal=code,
        refusals=refusal.details.get("broken", []) if refusal else [],
        contacts=_contacts() if code == "locked" else [],
        limits=service().profile.rules.password,
        suggestion=suggested,
    )


def _contacts() -> list[Contact]:
    account = db.session.get_one(Account, g.session.account_id)
    return contacts_for(departments_of(g.here, account), g.here.now, language())
