"""Looking people up, and deciding about the systems of one.

What is entered is part of the form, not of the address: addresses end in logs.
"""

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.decide_access import decide_access, lift_decision
from idp.flows.look_up_person import find_people, person_sheet
from idp.flows.refusal import Refusal
from idp.models import AccessDecision, Account
from idp.web.language import language
from policies.access_decisions import Decision
from policies.deadlines import local_day

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("")
def ask() -> str:
    return render_template("people.html")


@bp.post("")
def find() -> str:
    entered = request.form.get("entered", "").strip()
    return render_template("people.html", entered=entered, people=find_people(g.here, entered, language()))


@bp.get("/<uuid:account_id>")
def show(account_id: UUID) -> str:
    return render_template("person.html", **person_sheet(g.here, _account(account_id), language()))


@bp.post("/<uuid:account_id>/access")
def decide(account_id: UUID) -> Response | tuple[str, int]:
    """Give a system beyond the rules, or forbid one; what is no day is refused as a wrong one."""
    account, gives = _account(account_id), request.form.get("decision") == "give"
    system, _, program = request.form.get("system", "").partition(" ")
    today = local_day(g.here.now, g.here.service.zone)
    try:
        days = [_day(request.form.get(name, "")) for name in ("starts_on", "ends_on")]
    except ValueError:
        return _refused(account, Refusal("decision-days-wrong"), gives)
    asked = Decision(system, program or None, gives, days[0] or today, days[1])
    refusal = decide_access(g.here, account, asked, request.form.get("reason", ""), request.form.get("document", ""))
    return (
        _refused(account, refusal, gives)
        if refusal
        else _done(account, "access-given" if gives else "access-forbidden")
    )


@bp.post("/<uuid:account_id>/access/<uuid:decision_id>/lift")
def lift(account_id: UUID, decision_id: UUID) -> Response | tuple[str, int]:
    account, row = _account(account_id), db.session.get(AccessDecision, decision_id) or abort(404)
    refusal = lift_decision(g.here, account, row, request.form.get("reason", ""))
    return _refused(account, refusal, row.gives) if refusal else _done(account, "decision-lifted")


def _account(account_id: UUID) -> Account:
    return db.session.get(Account, account_id) or abort(404)


def _day(entered: str) -> date | None:
    return date.fromisoformat(entered) if entered else None


def _done(account: Account, code: str) -> Response:
    flash(code, "notice")
    return redirect(url_for("people.show", account_id=account.id), 303)


def _refused(account: Account, refusal: Refusal, gives: bool) -> tuple[str, int]:
    """The page again, with what was entered."""
    sheet = person_sheet(g.here, account, language())
    return render_template("person.html", refusal=refusal.code, refused_give=gives, **sheet), 422
