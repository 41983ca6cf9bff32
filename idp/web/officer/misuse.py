"""The security officer's desk: cases of reported unauthorised access (3.1, 6.5)."""

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.flows.misuse_cases import close_misuse_case, misuse_cases

bp = Blueprint("misuse", __name__, url_prefix="/misuse")


@bp.get("")
def show() -> str:
    return render_template("misuse.html", cases=misuse_cases(g.here))


@bp.post("/<uuid:case_id>/close")
def close(case_id: UUID) -> Response | tuple[str, int]:
    refusal = close_misuse_case(g.here, case_id, request.form.get("result", ""))
    if refusal is None:
        flash("case-closed", "notice")
        return redirect("/misuse", 303)
    return render_template("misuse.html", cases=misuse_cases(g.here), refusal=refusal.code, refused=case_id), 422
