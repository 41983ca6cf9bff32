"""The officer's desk: what is due, lifting lockouts, confirming tasks by hand, new activation links."""

from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.activate import issue_activation_again
from idp.flows.attachments import Sent
from idp.flows.confirm_task import confirm_task
from idp.flows.desk import desk
from idp.flows.find_account import find_account
from idp.flows.lift_lockout import lift_lockout, lift_lockouts
from idp.flows.refusal import Refusal
from idp.flows.reset_factors import refuse_reset, reset_factors
from idp.models import Account, Task
from idp.web.language import language

bp = Blueprint("desk", __name__, url_prefix="/desk")


@bp.get("")
def show() -> str:
    return render_template("desk.html", **desk(g.here, language()))


@bp.post("/lockouts/<uuid:account_id>/lift")
def lift(account_id: UUID) -> Response | tuple[str, int]:
    refusal = lift_lockout(g.here, _account(account_id), request.form.get("reason", ""))
    return _answer(refusal, f"reason-{account_id}", "lockout-lifted")


@bp.post("/tasks/<uuid:task_id>/confirm")
def confirm(task_id: UUID) -> Response | tuple[str, int]:
    task = db.session.get(Task, task_id) or abort(404)
    file = request.files.get("file")
    sent = Sent(file.filename, file.read()) if file and file.filename else None
    refusal = confirm_task(g.here, task, request.form.get("note", ""), sent)
    about = "file" if refusal and refusal.code.startswith("file-") else "note"
    return _answer(refusal, f"{about}-{task_id}", "task-confirmed")


@bp.post("/activations/<uuid:account_id>")
def send_activation(account_id: UUID) -> Response | tuple[str, int]:
    return _answer(issue_activation_again(g.here, _account(account_id)), "", "link-sent")


@bp.post("/factors/reset")
def reset() -> Response | tuple[str, int]:
    """By the login; who may not do it learns nothing of who exists."""
    account = find_account(request.form.get("login", "")) or abort(404)
    outcome = reset_factors(g.here, account, request.form.get("reason", ""))
    if isinstance(outcome, Refusal):
        return _answer(outcome, "reset-reason", "")
    return _answer(None, "", outcome.value)


@bp.post("/factors/reset/<uuid:reset_id>/refuse")
def refuse(reset_id: UUID) -> Response | tuple[str, int]:
    return _answer(refuse_reset(g.here, reset_id), "", "reset-refused")


@bp.post("/lockouts/lift")
def lift_several() -> Response | tuple[str, int]:
    """Who could not be is named; what is no id is nobody's."""
    answers = lift_lockouts(g.here, request.form.getlist("account", type=UUID), request.form.get("reason", ""))
    refused = {login: answer for login, answer in answers.items() if answer is not None}
    if not answers:
        return _answer(Refusal("none-chosen"), "", "")
    if any(answer.code == "reason-required" for answer in refused.values()):
        return _answer(Refusal("reason-required"), "several-reason", "")
    if not refused:
        return _answer(None, "", "lockouts-lifted")
    page = desk(g.here, language())
    return render_template("desk.html", refusals=[_named(login, one) for login, one in refused.items()], **page), 422


def _named(login: str, refusal: Refusal) -> dict[str, str]:
    return {"field": "", "code": refusal.code, "login": login}


def _account(account_id: UUID) -> Account:
    return db.session.get(Account, account_id) or abort(404)


def _answer(refusal: Refusal | None, field: str, done: str) -> Response | tuple[str, int]:
    if refusal is None:
        flash(done, "notice")
        return redirect("/desk", 303)
    about_a_field = refusal.code.endswith("-required") or refusal.code.startswith("file-")
    refusals = [{"field": field if about_a_field else "", "code": refusal.code}]
    return render_template("desk.html", refusals=refusals, **desk(g.here, language())), 422
