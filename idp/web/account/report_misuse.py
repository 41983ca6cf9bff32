"""Reporting unauthorised access: by the link of a mail, without signing in, or from one's account (5.4, 6.5).

Looking at the page does nothing: programs that read mail follow links.
"""

from flask import Blueprint, g, render_template, request

from idp.db import db
from idp.flows.appointments import contacts_for
from idp.flows.misuse_link import read_misuse_link
from idp.flows.report_misuse import report_misuse
from idp.models import Account
from idp.web.language import language

bp = Blueprint("report_misuse", __name__)


@bp.get("/report-misuse/<token>")
def show(token: str) -> str | tuple[str, int]:
    account = read_misuse_link(g.here, token)
    return _page("ask", account.login) if account else (_page("spent"), 410)


@bp.post("/report-misuse/<token>")
def submit(token: str) -> str | tuple[str, int]:
    account = read_misuse_link(g.here, token)
    if account is None:
        return _page("spent"), 410
    report_misuse(g.here, account, "mail", request.form.get("told", ""))
    return _page("done", account.login)


@bp.get("/account/report-misuse")
def show_own() -> str:
    return _page("ask", g.session.login)


@bp.post("/account/report-misuse")
def submit_own() -> str:
    """It ends this session too: who is it that sits here?"""
    account = db.session.get_one(Account, g.session.account_id)
    report_misuse(g.here, account, "account", request.form.get("told", ""))
    g.signed_out, g.session = True, None
    return _page("done", account.login)


def _page(state: str, login: str = "") -> str:
    contacts = [] if state == "ask" else contacts_for((), g.here.now, language())
    return render_template("report_misuse.html", state=state, login=login, contacts=contacts)
