"""Signing out: visible on every page, by a form (5.5)."""

from flask import Blueprint, g, redirect, render_template, session
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.record import record
from idp.flows.sessions import end_session
from idp.models import Account
from idp.web.place import drop_session

bp = Blueprint("signout", __name__)


@bp.get("/sign-out")
def show() -> str | Response:
    return render_template("sign_out.html") if g.session else redirect("/sign-in", 303)


@bp.post("/sign-out")
def submit() -> Response | str:
    if g.session is not None:
        account = db.session.get_one(Account, g.session.account_id)
        end_session(g.here, g.session.id, "signed-out")
        record(g.here, "signed-out", account)
        g.session = None
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    response = Response(render_template("signed_out.html"), mimetype="text/html")
    drop_session(response)
    return response
