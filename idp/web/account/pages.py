"""The overview of one's own account."""

from flask import Blueprint, g, redirect, render_template
from werkzeug.wrappers import Response

from idp.flows.overview import overview
from idp.web.language import language

bp = Blueprint("account", __name__)


@bp.get("/")
def home() -> Response:
    return redirect("/account", 303)


@bp.get("/account")
def show() -> str:
    return render_template("account.html", **overview(g.here, g.session, language()))
