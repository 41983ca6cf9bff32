"""Signing out: visible on every page, by a form (5.5)."""

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.record import record
from idp.flows.sessions import end_session
from idp.models import Account
from idp.oauth.logout import after_sign_out
from idp.web.place import drop_session

bp = Blueprint("signout", __name__)


@bp.get("/sign-out")
def show() -> str | Response:
    token = request.args.get("request") or None
    if g.session is None:
        return redirect(url_for("signout.signed_out", request=token), 303)
    return render_template("sign_out.html", request_id=token)


@bp.post("/sign-out")
def submit() -> Response:
    if g.session is not None:
        account = db.session.get_one(Account, g.session.account_id)
        end_session(g.here, g.session.id, "signed-out")
        record(g.here, "signed-out", account)
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    response = redirect(url_for("signout.signed_out", request=request.form.get("request") or None), 303)
    drop_session(response)
    return response


@bp.get("/signed-out")
def signed_out() -> Response | str:
    """The end, or the way back to the client that asked for it.

    The browser is sent on by the page and not by a redirect: a redirect would still count as the target of the form
    on whichever page it was (Content-Security-Policy, form-action).
    """
    if g.session is not None:
        return redirect("/account", 303)
    token = request.args.get("request")
    target = after_sign_out(token, g.here.now) if token else None
    response = Response(render_template("signed_out.html", target=target), mimetype="text/html")
    if target:
        response.headers["Refresh"] = f"0; url={target}"
    return response
