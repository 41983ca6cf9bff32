"""Signing out: visible on every page, by a form (5.5)."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from idp.flows.record import record
from idp.flows.sessions import end_session
from idp.oauth.frontchannel_logout import frames_for
from idp.oauth.logout import after_sign_out, signed_out_page
from idp.web.place import drop_session

bp = Blueprint("signout", __name__)


@bp.get("/sign-out")
def show() -> str | Response:
    token = request.args.get("request") or None
    if g.session is None and g.outlived is None:
        return redirect(url_for("signout.signed_out", request=token), 303)
    return render_template("sign_out.html", request_id=token)


@bp.post("/sign-out")
def submit() -> Response:
    ended = g.session or g.outlived
    if ended is not None:
        end_session(g.here, ended.id, "signed-out")
        record(g.here, "signed-out", ended.account)
    response = redirect(url_for("signout.signed_out", request=request.form.get("request") or None), 303)
    drop_session(response)
    if ended is not None:
        session["ended"] = str(ended.id)
    return response


@bp.get("/signed-out")
def signed_out() -> Response:
    """The end, or the way back to the client that asked for it; on the way clients are told of it in frames."""
    if g.session is not None:
        return redirect("/account", 303)
    token, ended = request.args.get("request"), session.pop("ended", None)
    frames = frames_for(g.here.service, UUID(ended)) if ended else ()
    return signed_out_page(after_sign_out(token, g.here.now) if token else None, frames)
