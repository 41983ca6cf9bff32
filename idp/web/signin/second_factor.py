"""The page for the second factor of a sign-in (5.7): a field for a one-time code or a recovery code, and a passkey."""

from collections.abc import Callable

from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from idp.flows.appointments import contacts_for
from idp.flows.refusal import Refusal
from idp.flows.second_factor import give_proof
from idp.oauth.interaction import facts_for
from idp.web.language import language
from idp.web.place import keep_session
from idp.web.signin.passkey import options_for, proof
from idp.web.signin.sign_in import pending
from policies.interaction import Step, next_step

PURPOSE = "second-factor"
bp = Blueprint("second_factor", __name__, url_prefix="/second-factor")


@bp.get("")
def show() -> str | Response:
    return _page() if _is_next(request.args.get("request")) else _on()


@bp.post("")
def submit() -> Response | tuple[str, int]:
    if not _is_next(request.form.get("request")):
        return _on()
    outcome = give_proof(g.here, g.session, proof(PURPOSE))
    if isinstance(outcome, Refusal):
        return _page(outcome.code), 401
    return renewed(outcome, _on)


def renewed(token: str, answer: Callable[[], Response | str]) -> Response:
    """`answer` with a new session id, and a new form token with it (ASVS 7.2.4)."""
    session.pop("csrf_token", None)
    response = make_response(answer())
    keep_session(response, token)
    return response


def _is_next(token: str | None) -> bool:
    """Whether the sign-in waits for the factor: nobody else has anything to guess here."""
    return next_step(facts_for(pending(token), g.session, g.here), g.here.now) is Step.SECOND_FACTOR


def _on() -> Response:
    return redirect(url_for("signin.next_page", request=request.values.get("request") or None), 303)


def _page(refusal: str | None = None) -> str:
    contacts = contacts_for((), g.here.now, language()) if refusal == "locked" else []
    return render_template(
        "second_factor.html",
        refusal=refusal,
        request_id=request.values.get("request"),
        contacts=contacts,
        passkey=options_for(PURPOSE, g.session.account_id),
    )
