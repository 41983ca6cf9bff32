"""The page of one's own audit trail (6.1)."""

from flask import Blueprint, g, render_template, request

from idp.flows.own_history import own_history
from idp.web.language import language

bp = Blueprint("account_history", __name__)
LONGEST_NUMBER = 18  # digits, as many as the database counts to


@bp.get("/account/history")
def show() -> str:
    asked = request.args.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_NUMBER else None
    records, older = own_history(g.session, language(), before)
    return render_template("history.html", records=records, older=older, newest=before is None)
