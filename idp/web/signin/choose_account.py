"""The page that asks which account it shall be, when the client wants that asked (OIDC Core, 3.1.2.1: select_account).

Another account signs in on the sign-in page, whose new session takes the place of this one.
"""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.models import Account, Person
from idp.oauth.interaction import PendingRequest, choose_account, facts_for
from idp.web.errors import RanOut
from idp.web.signin.sign_in import pending
from policies.interaction import Step, next_step
from policies.naming import display_name

bp = Blueprint("choose_account", __name__, url_prefix="/choose-account")


@bp.get("")
def show() -> str | Response:
    waiting = _waiting()
    return _dispatcher() if waiting is None else _page(waiting)


@bp.post("")
def submit() -> Response:
    """It is the account that is signed in: a form of another session has lost its token."""
    waiting = _waiting()
    if waiting is not None and not choose_account(waiting, g.session.account_id):
        raise RanOut
    return _dispatcher()


def _waiting() -> PendingRequest | None:
    """The request this page is the next step of."""
    waiting = pending(request.values.get("request"))
    step = next_step(facts_for(waiting, g.session, g.here), g.here.now)
    return waiting if step is Step.CHOOSE_ACCOUNT else None


def _dispatcher() -> Response:
    return redirect(url_for("signin.next_page", request=request.values.get("request") or None), 303)


def _page(waiting: PendingRequest) -> str:
    account = db.session.get_one(Account, g.session.account_id)
    person = db.session.get_one(Person, account.person_id)
    return render_template(
        "choose_account.html",
        client_name=waiting.client_name,
        login=account.login,
        display_name=display_name(person.given, person.family, person.patronymic),
        request_id=request.values.get("request"),
    )
