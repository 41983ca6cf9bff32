"""HR's page of what people ask to be changed: name, scope of duties (Regulation 3.6)."""

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.flows.confirm_change import confirm_change, refuse_change, waiting_changes
from idp.flows.refusal import Refusal

bp = Blueprint("changes", __name__, url_prefix="/hr/changes")


@bp.get("")
def index() -> str:
    return render_template("changes.html", changes=waiting_changes(g.here))


@bp.post("/<uuid:change_id>/confirm")
def confirm(change_id: UUID) -> Response | tuple[str, int]:
    return _answer(confirm_change(g.here, change_id), change_id, "change-confirmed")


@bp.post("/<uuid:change_id>/refuse")
def refuse(change_id: UUID) -> Response | tuple[str, int]:
    return _answer(refuse_change(g.here, change_id, request.form.get("reason", "")), change_id, "change-refused")


def _answer(refusal: Refusal | None, change_id: UUID, done: str) -> Response | tuple[str, int]:
    if refusal is None:
        flash(done, "notice")
        return redirect("/hr/changes", 303)
    changes = waiting_changes(g.here)
    return render_template("changes.html", changes=changes, refusal=refusal.code, refused=change_id), 422
