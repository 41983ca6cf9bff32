"""The systems and what is wrong in them: looking through one now, and deciding about each finding."""

from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.circuits import try_now
from idp.flows.refusal import Refusal
from idp.flows.scans import adopt, ask_for_scan, findings_of, leave, mend, systems_overview
from idp.models import Finding, System
from idp.web.language import language

bp = Blueprint("systems", __name__, url_prefix="/admin/systems")


@bp.get("")
def index() -> str:
    return render_template("systems.html", systems=systems_overview(g.here, language()))


@bp.post("/<code>/scan")
def scan(code: str) -> Response:
    refusal = ask_for_scan(g.here, _system(code).code)
    flash(refusal.code if refusal else "scan-begun", "notice")
    return redirect("/admin/systems", 303)


@bp.post("/<code>/try")
def try_again(code: str) -> Response:
    refusal = try_now(g.here, _system(code).code)
    flash(refusal.code if refusal else "circuit-tried", "notice")
    return redirect("/admin/systems", 303)


@bp.get("/<code>")
def show(code: str) -> str:
    return _page(_system(code))


@bp.post("/findings/<uuid:finding_id>/mend")
def bring_into_line(finding_id: UUID) -> Response:
    finding = _finding(finding_id)
    return _settled(finding, mend(g.here, finding), "finding-mended")


@bp.post("/findings/<uuid:finding_id>/adopt")
def take(finding_id: UUID) -> Response:
    finding = _finding(finding_id)
    return _settled(finding, adopt(g.here, finding), "finding-adopted")


@bp.post("/findings/<uuid:finding_id>/leave")
def let_be(finding_id: UUID) -> Response | tuple[str, int]:
    finding = _finding(finding_id)
    refusal = leave(g.here, finding, request.form.get("reason", ""))
    if refusal is not None and refusal.code == "leave-reason-required":
        return _page(_system(finding.system), finding_id), 422
    return _settled(finding, refusal, "finding-left")


def _page(system: System, refused: UUID | None = None) -> str:
    return render_template("findings.html", system=system, refused=refused, **findings_of(g.here, system.code))


def _settled(finding: Finding, refusal: Refusal | None, done: str) -> Response:
    flash(refusal.code if refusal else done, "notice")
    return redirect(f"/admin/systems/{finding.system}", 303)


def _system(code: str) -> System:
    return db.session.get(System, code) or abort(404)


def _finding(finding_id: UUID) -> Finding:
    return db.session.get(Finding, finding_id) or abort(404)
