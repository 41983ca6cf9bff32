"""What is agreed to before any system is reached: that acts under an account count as signed by hand (6.2), and of
employees electronic HR documents (annex 2).  One text after another, each accepted by itself."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.flows.accept_agreement import accept_agreement
from idp.flows.refusal import Refusal
from idp.service import service
from idp.web.language import language
from idp.web.signin.sign_in import pending
from policies.agreement import Agreement, missing

bp = Blueprint("agreement", __name__, url_prefix="/agreement")


@bp.get("")
def show() -> Response | str | tuple[str, int]:
    pending(request.args.get("request"))
    return _page()


@bp.post("")
def submit() -> Response | str | tuple[str, int]:
    """Accepts exactly the text that was shown: a newer one in the meantime is shown instead, with a word on why."""
    pending(request.form.get("request"))
    refusal = _accept()
    return _page(refusal.code) if refusal else _on()


def _accept() -> Refusal | None:
    if not request.form.get("accept"):
        return Refusal("not-accepted")
    return accept_agreement(g.here, g.session.account, request.form.get("sha256", ""))


def _missing() -> tuple[Agreement, ...]:
    return missing(service().profile.in_force, g.session.kinds, g.session.accepted)


def _page(refusal: str | None = None) -> Response | str | tuple[str, int]:
    """The first that is missing."""
    left = _missing()
    if not left:
        return _on()
    agreement = next(one for one in service().profile.agreements if one.current == left[0])
    page = render_template(
        "agreement.html",
        agreement={
            "name": agreement.names.to(language()),
            "version": agreement.current.version,
            "text": agreement.texts[language()],
            "sha256": agreement.current.sha256,
        },
        left=len(left),
        request_id=request.values.get("request"),
        refusal=refusal,
    )
    return (page, 422) if refusal else page


def _on() -> Response:
    return redirect(url_for("signin.next_page", request=request.values.get("request") or None), 303)
