"""The agreement that acts under an account count as signed by hand (6.2): accepted before any system is reached."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.accept_agreement import accept_agreement
from idp.models import Account
from idp.service import service
from idp.web.language import language
from idp.web.signin.sign_in import pending

bp = Blueprint("agreement", __name__, url_prefix="/agreement")


@bp.get("")
def show() -> str:
    pending(request.args.get("request"))
    agreement = service().profile.agreement
    return render_template(
        "agreement.html",
        agreement={
            "version": agreement.version,
            "text": agreement.texts[language()],
            "sha256": agreement.current.sha256,
        },
        request_id=request.args.get("request"),
    )


@bp.post("")
def submit() -> Response:
    """Accepts exactly the text that was shown: a newer one in the meantime is shown again."""
    token = request.form.get("request") or None
    if request.form.get("accept") and request.form.get("sha256") == service().profile.agreement.current.sha256:
        account = db.session.get_one(Account, g.session.account_id)
        accept_agreement(g.here, account, request.form["sha256"])
    return redirect(url_for("signin.next_page", request=token), 303)
