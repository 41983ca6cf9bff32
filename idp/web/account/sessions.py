"""The page of one's own open sessions (5.4): ending one of them, or all others."""

from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template
from werkzeug.wrappers import Response

from idp.flows.own_sessions import end_other_sessions, end_own_session, own_sessions

bp = Blueprint("account_sessions", __name__, url_prefix="/account/sessions")


@bp.get("")
def show() -> str:
    return render_template("sessions.html", sessions=own_sessions(g.here, g.session))


@bp.post("/<uuid:session_id>/end")
def end(session_id: UUID) -> Response:
    """Somebody else's is answered like one that is not there."""
    if not end_own_session(g.here, g.session, session_id):
        abort(404)
    flash("session-ended", "notice")
    return redirect("/account/sessions", 303)


@bp.post("/end-others")
def end_others() -> Response:
    end_other_sessions(g.here, g.session)
    flash("others-ended", "notice")
    return redirect("/account/sessions", 303)
