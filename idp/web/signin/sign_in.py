"""The sign-in page, and the one place that decides what comes after any page of a sign-in (design, decision 5)."""

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from idp.flows.appointments import contacts_for
from idp.flows.refusal import Refusal
from idp.flows.sign_in import SignedIn, sign_in
from idp.oauth.interaction import PendingRequest, facts_for, finish, recall
from idp.web.language import language
from idp.web.place import keep_session
from policies.interaction import Step, next_step

bp = Blueprint("signin", __name__)


@bp.get("/sign-in")
def show() -> str:
    return _page(pending(request.args.get("request")))


@bp.post("/sign-in")
def submit() -> Response | tuple[str, int]:
    waiting = pending(request.form.get("request"))
    outcome = sign_in(g.here, request.form.get("login", ""), request.form.get("password", ""))
    if isinstance(outcome, Refusal):
        return _page(waiting, outcome, request.form.get("login", "")), 401
    return _begin(outcome)


@bp.get("/continue")
def next_page() -> Response | tuple[str, int]:
    """The dispatcher: every page of a sign-in returns here, and nothing else knows the order of the steps."""
    waiting = pending(request.args.get("request"))
    step = next_step(facts_for(waiting, g.session, g.here), g.here.now)
    if step is Step.DONE:
        return redirect(finish(g.here, waiting, g.session) if waiting else session.pop("after", "/account"), 303)
    if step is Step.DENIED:
        return _denied(waiting), 403
    page = {Step.SIGN_IN: "signin.show", Step.AGREEMENT: "agreement.show"}[step]
    return redirect(url_for(page, request=request.args.get("request")), 303)


def pending(token: str | None) -> PendingRequest | None:
    """The authorization request that waits for this sign-in; an expired one is an error, not a guess."""
    if not token:
        return None
    found = recall(token, g.here.now)
    if found is None:
        abort(400)
    g.form_target = found.origin
    return found


def _page(waiting: PendingRequest | None, refusal: Refusal | None = None, login: str = "") -> str:
    locked = refusal is not None and refusal.code == "locked"
    return render_template(
        "sign_in.html",
        client_name=waiting.client_name if waiting else None,
        request_id=request.values.get("request"),
        login=login,
        refusal=refusal.code if refusal else None,
        contacts=contacts_for((), g.here.now, language()) if locked else [],
    )


def _begin(outcome: SignedIn) -> Response:
    """A new session, and a new form token with it (ASVS 7.2.4)."""
    kept = {name: session[name] for name in ("language", "after") if name in session}
    session.clear()
    session.update(kept)
    response = redirect(url_for("signin.next_page", request=request.form.get("request") or None), 303)
    keep_session(response, outcome.token)
    return response


def _denied(waiting: PendingRequest | None) -> str:
    return render_template(
        "denied.html",
        client_name=waiting.client_name if waiting else "",
        reason="no-access",
        contacts=contacts_for((), g.here.now, language()),
    )
