"""The sign-in page, and the one place that decides what comes after any page of a sign-in (design, decision 5)."""

from dataclasses import replace

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from idp.db import db
from idp.errors import Busy
from idp.flows.appointments import contacts_for
from idp.flows.here import Here
from idp.flows.passkey_sign_in import sign_in_by_passkey
from idp.flows.passkeys import authentication_options
from idp.flows.refusal import Refusal
from idp.flows.sign_in import SignedIn, sign_in
from idp.oauth.answer import send
from idp.oauth.errors import OAuthError
from idp.oauth.finish import NO_ACCESS, REFUSALS, deny, finish
from idp.oauth.interaction import PendingRequest, facts_for, recall
from idp.web.errors import RanOut
from idp.web.language import language
from idp.web.place import keep_session
from idp.web.signin.denied import denied_page
from idp.web.signin.passkey import ceremony
from policies.interaction import Step, next_step

PASSKEY = "sign-in"  # the purpose of a passkey here
bp = Blueprint("signin", __name__)
PAGES = {
    Step.SIGN_IN: "signin.show",
    Step.SECOND_FACTOR: "second_factor.show",
    Step.AGREEMENT: "agreement.show",
    Step.ENROL_FACTOR: "factors.show",
    Step.CHOOSE_ACCOUNT: "choose_account.show",
    Step.CONSENT: "consent.show",
}


@bp.get("/sign-in")
def show() -> str | Response:
    """Who has signed in already goes on, unless the client wants them to prove themselves again, or they want to sign
    in to another account (`choose_account.py`)."""
    waiting = pending(request.args.get("request"))
    if waiting and "another" in request.args:
        return _page(waiting, login=waiting.request.login_hint)
    if g.session and "again" in request.args:  # a step-up: what comes next asks for a fresh proof
        return _page(waiting, login=g.session.login, again=True)
    if g.session and next_step(facts_for(waiting, g.session, g.here), g.here.now) is not Step.SIGN_IN:
        return redirect(url_for("signin.next_page", request=request.args.get("request")), 303)
    return _page(waiting, login=_expected(waiting))


@bp.post("/sign-in")
def submit() -> Response | tuple[str, int]:
    waiting = pending(request.form.get("request"))
    outcome = sign_in(_after_outlived(g.here), request.form.get("login", ""), request.form.get("password", ""))
    if isinstance(outcome, Refusal):
        status = 429 if outcome.code == "throttled" else 401
        return _page(waiting, outcome.code, request.form.get("login", "")), status
    return _begin(outcome)


@bp.post("/sign-in/passkey")
def submit_passkey() -> Response | tuple[str, int]:
    waiting = pending(request.form.get("request"))
    outcome = sign_in_by_passkey(_after_outlived(g.here), ceremony(PASSKEY), request.form.get("passkey", ""))
    if isinstance(outcome, Refusal):
        return _page(waiting, outcome.code), 429 if outcome.code == "throttled" else 401
    return _begin(outcome)


@bp.errorhandler(CSRFError)
def stale(error: CSRFError) -> tuple[str, int]:
    """The page was open for too long, or somebody signed in or out in another tab; nothing was looked at."""
    return _page(pending(request.form.get("request")), "stale", request.form.get("login", "")), 400


@bp.errorhandler(Busy)
def busy(error: Busy) -> tuple[str, int, dict[str, str]]:
    """A storm of sign-ins: the page again, for the same login."""
    db.session.remove()
    page = _page(pending(request.form.get("request")), "busy", request.form.get("login", ""))
    return page, 503, {"Retry-After": str(error.retry_after)}


@bp.get("/continue")
def next_page() -> Response | tuple[str, int]:
    """The dispatcher: every page of a sign-in returns here, and nothing else knows the order of the steps."""
    waiting = pending(request.args.get("request"))
    step = next_step(facts_for(waiting, g.session, g.here), g.here.now)
    if waiting is None:
        return _within(step)
    if step is Step.DONE:
        return _finished(waiting)
    if step in REFUSALS:
        return denied(waiting, REFUSALS[step])
    if step is Step.DENIED:
        return denied_page(waiting.client, request.args.get("request")), 403
    return redirect(url_for(PAGES[step], request=request.args.get("request")), 303)


def _finished(waiting: PendingRequest) -> Response:
    """Two tabs may come here with one request; one of them takes the answer along."""
    answer = finish(g.here, waiting, g.session)
    if answer is None:
        raise RanOut
    return send(g.here, answer)


@bp.post("/turn-back")
def turn_back() -> Response:
    """The person goes back to the client that they may not use, which learns that much (RFC 6749, 4.1.2.1)."""
    waiting = pending(request.form.get("request"))
    if waiting is None:
        return redirect("/account", 303)
    return denied(waiting, NO_ACCESS)


def denied(waiting: PendingRequest, error: OAuthError) -> Response:
    """The client learns why not; once, like a grant."""
    answer = deny(waiting, error)
    if answer is None:
        raise RanOut
    return send(g.here, answer)


def _within(step: Step) -> Response:
    """Nobody waits: the person wanted to see a page of ours."""
    return redirect(session.pop("after", "/account") if step is Step.DONE else url_for(PAGES[step]), 303)


def pending(token: str | None) -> PendingRequest | None:
    """The authorization request that waits for this sign-in; an expired one is an error, not a guess."""
    if not token:
        return None
    found = recall(token, g.here.now)
    if found is None:
        raise RanOut
    g.form_target = found.origin
    g.languages_wished = found.request.ui_locales
    return found


def _page(
    waiting: PendingRequest | None, refusal: str | None = None, login: str | None = None, again: bool = False
) -> str:
    return render_template(
        "sign_in.html",
        client=waiting.client if waiting else None,
        request_id=request.values.get("request"),
        login=login,
        again=again,
        refusal=refusal,
        contacts=contacts_for((), g.here.now, language()) if refusal == "locked" else [],
        passkey=authentication_options(g.here, ceremony(PASSKEY)),
    )


def _expected(waiting: PendingRequest | None) -> str | None:
    """Whom the page is probably for: whom the client named, or who has to prove themselves again."""
    hint = waiting.request.login_hint if waiting else None
    return hint or (str(g.session.login) if g.session else None)


def _begin(outcome: SignedIn) -> Response:
    """A new session, and a new form token with it (ASVS 7.2.4)."""
    kept = {name: session[name] for name in ("language", "after") if name in session}
    session.clear()
    session.update(kept, account_language=outcome.account.language)
    response = redirect(url_for("signin.next_page", request=request.form.get("request") or None), 303)
    keep_session(response, outcome.token)
    return response


def _after_outlived(here: Here) -> Here:
    """A session of this browser past its limits opens nothing; it goes on with its own person, and ends with others."""
    before = g.outlived
    return replace(here, account_id=before.account_id, session_id=before.id) if before else here
