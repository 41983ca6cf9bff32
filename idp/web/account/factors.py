"""One's own second factors: adding, naming and removing them, and new recovery codes."""

from uuid import UUID

import pyotp
import segno
from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.change_factors import (
    Enrolled,
    begin_factor,
    confirm_factor,
    enrol_passkey,
    factors_of,
    find_factor,
    new_recovery_codes,
    recovery_codes_left,
    remove_factor,
    rename_factor,
)
from idp.flows.passkeys import registration_options
from idp.flows.refusal import Refusal
from idp.flows.second_factor import seed_of
from idp.models import Account, Factor
from idp.oauth.interaction import facts_for
from idp.web.signin.passkey import ceremony
from idp.web.signin.second_factor import renewed
from idp.web.signin.sign_in import pending
from policies.factors import in_groups
from policies.interaction import Step, next_step

ENROL = "enrol"  # the purpose of a passkey here
bp = Blueprint("factors", __name__, url_prefix="/account/factors")


@bp.get("")
def show() -> str:
    return _page()


@bp.post("")
def add() -> Response | tuple[str, int]:
    factor = begin_factor(g.here, _account(), request.form.get("name", ""))
    if isinstance(factor, Refusal):
        return _page(factor.code), 422
    return redirect(url_for("factors.set_up", factor_id=factor.id, request=request.form.get("request") or None), 303)


@bp.post("/passkeys")
def add_passkey() -> Response | tuple[str, int]:
    """What the browser has made, out of the form (`signin/passkey.py`)."""
    outcome = enrol_passkey(
        g.here, g.session.account_id, ceremony(ENROL), request.form.get("name", ""), request.form.get("passkey", "")
    )
    if isinstance(outcome, Refusal):
        return _page(outcome.code), 422
    return _enrolled(outcome, "passkey-added")


@bp.get("/<uuid:factor_id>")
def set_up(factor_id: UUID) -> str:
    pending(request.args.get("request"))
    return _set_up(_factor(factor_id, confirmed=False))


@bp.post("/<uuid:factor_id>")
def confirm(factor_id: UUID) -> Response | tuple[str, int]:
    pending(request.form.get("request"))
    factor = _factor(factor_id, confirmed=False)
    outcome = confirm_factor(g.here, _account(), factor, request.form.get("code", ""))
    if isinstance(outcome, Refusal):
        return _set_up(factor, outcome.code), 422
    return _enrolled(outcome, "factor-added")


@bp.post("/<uuid:factor_id>/name")
def rename(factor_id: UUID) -> Response:
    rename_factor(g.here, _account(), _factor(factor_id), request.form.get("name", ""))
    return _back()


@bp.post("/<uuid:factor_id>/remove")
def remove(factor_id: UUID) -> Response:
    remove_factor(g.here, _account(), _factor(factor_id))
    flash("factor-removed", "notice")
    return _back()


@bp.post("/recovery-codes")
def renew_codes() -> str | Response:
    """Shown once; who has no factor has nothing to recover."""
    return _codes(new_recovery_codes(g.here, _account())) if factors_of(g.session.account_id) else _back()


def _enrolled(outcome: Enrolled, done: str) -> Response:
    """On to the recovery codes that came with the first factor, or back to the list."""
    if outcome.recovery_codes:
        return renewed(outcome.token, lambda: _codes(outcome.recovery_codes))
    flash(done, "notice")
    return renewed(outcome.token, _back)


def _account() -> Account:
    return db.session.get_one(Account, g.session.account_id)


def _factor(factor_id: UUID, confirmed: bool = True) -> Factor:
    return find_factor(g.session.account_id, factor_id, confirmed) or abort(404)


def _back() -> Response:
    return redirect(url_for("factors.show", request=request.form.get("request") or None), 303)


def _page(refusal: str | None = None) -> str:
    facts = facts_for(pending(request.values.get("request")), g.session, g.here)
    return render_template(
        "factors.html",
        factors=factors_of(g.session.account_id),
        left=recovery_codes_left(g.session.account_id),
        must=next_step(facts, g.here.now) is Step.ENROL_FACTOR,
        request_id=request.values.get("request"),
        refusal=refusal,
        passkey=registration_options(g.here, ceremony(ENROL), _account()),
    )


def _set_up(factor: Factor, refusal: str | None = None) -> str:
    seed = seed_of(g.here.service, factor)
    issuer = g.here.service.profile.institution.code.upper()
    uri = pyotp.TOTP(seed).provisioning_uri(name=g.session.login, issuer_name=issuer)
    return render_template(
        "factor_set_up.html",
        factor=factor,
        address=uri,
        picture=segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff"),
        seed=in_groups(seed).replace("-", " "),
        request_id=request.values.get("request"),
        refusal=refusal,
    )


def _codes(codes: tuple[str, ...]) -> str:
    return render_template("recovery_codes.html", codes=codes, request_id=request.values.get("request"))
