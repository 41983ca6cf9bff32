"""The agreement that acts under an account count as signed by hand (6.2): accepted before any system is reached."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.accept_agreement import accept_agreement
from idp.flows.refusal import Refusal
from idp.models import Account
from idp.service import service
from idp.web.language import language
from idp.web.signin.sign_in import pending

bp = Blueprint("agreement", __name__, url_prefix="/agreement")


@bp.get("")
def show() -> str:
    pending(request.args.get("request"))
    return _page()


@bp.post("")
def submit() -> Response | tuple[str, int]:
    """Accepts exactly the text that was shown: a newer one in the meantime is shown instead, with a word on why."""
    pending(request.form.get("request"))
    refusal = _accept()
    if refusal is not None:
        return _page(refusal.code), 422
    return redirect(url_for("signin.next_page", request=request.form.get("request") or None), 303)


def _accept() -> Refusal | None:
    if not request.form.get("accept"):
        return Refusal("not-accepted")
    account = db.session.get_one(Account, g.session.account_id)
    return accept_agreement(g.here, account, request.form.get("sha256", ""))


def _page(refusal: str | None = None) -> str:
    agreement = service().profile.agreement
    return render_template(
        "agreement.html",
        agreement={
            "version": agreement.version,
            "text": agreement.texts[language()],
            "sha256": agreement.current.sha256,
        },
        request_id=request.values.get("request"),
        refusal=refusal,
    )
