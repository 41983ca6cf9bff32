"""What is known of oneself, and changing it: contacts, name, scope of duties, language (Regulation 3.6)."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.change_profile import ask_for_change, change_contacts, profile, withdraw_change
from idp.flows.choose_language import choose_language
from idp.flows.prove_address import find_proof, prove_address
from idp.flows.refusal import Refusal
from idp.models import Account
from idp.web.language import spoken
from policies.profile_changes import ADDRESS_PARTS, NAMES

bp = Blueprint("profile", __name__, url_prefix="/account/profile")


@bp.get("")
def show() -> str:
    return render_template("profile.html", **profile(g.here, _account()), spoken=spoken())


@bp.post("/language")
def choose() -> Response:
    """It counts in this browser as well, whatever was chosen here before; what is no language of ours changes nothing."""
    account = _account()
    if choose_language(g.here, account, request.form.get("language", "")) is None:
        session.pop("language", None)
        session["account_language"] = account.language
        flash("language-chosen", "notice")
    return _back()


@bp.get("/contacts")
def show_contacts() -> str:
    return _contacts(_known())


@bp.post("/contacts")
def change() -> Response | tuple[str, int]:
    outcome = change_contacts(g.here, _account(), request.form)
    if isinstance(outcome, Refusal):
        return _contacts(request.form, outcome), 422
    flash(_notice(outcome), "notice")
    return _back()


@bp.get("/names")
def show_names() -> str:
    return _names(_known())


@bp.post("/names")
def ask() -> Response | tuple[str, int]:
    outcome = ask_for_change(g.here, _account(), request.form)
    if isinstance(outcome, Refusal):
        return _names(request.form, outcome), 422
    flash("change-asked" if outcome else "nothing-changed", "notice")
    return _back()


@bp.post("/changes/<uuid:change_id>/withdraw")
def withdraw(change_id: UUID) -> Response:
    refusal = withdraw_change(g.here, _account(), change_id)
    flash(refusal.code if refusal else "change-withdrawn", "refusal" if refusal else "notice")
    return _back()


@bp.get("/address/<token>")
def show_address(token: str) -> str | tuple[str, int]:
    """Looking at the link does not spend it."""
    address = find_proof(g.here, _account(), token)
    return (_spent(), 410) if address is None else render_template("address_proof.html", address=address)


@bp.post("/address/<token>")
def prove(token: str) -> Response | tuple[str, int]:
    if prove_address(g.here, _account(), token) is not None:
        return _spent(), 410
    flash("address-changed", "notice")
    return _back()


def _account() -> Account:
    return db.session.get_one(Account, g.session.account_id)


def _known() -> dict[str, Any]:
    """What the forms begin with, by the names of their fields."""
    known: dict[str, Any] = profile(g.here, _account())["known"]
    return known | {f"home_address.{part}": text for part, text in known["home_address"].items()}


def _contacts(entered: Any, refusal: Refusal | None = None) -> str:
    wrong = refusal.details["wrong"] if refusal else {}
    return render_template("profile_contacts.html", entered=entered, wrong=wrong, parts_of_address=ADDRESS_PARTS)


def _names(entered: Any, refusal: Refusal | None = None) -> str:
    wrong = refusal.details["wrong"] if refusal else {}
    return render_template("profile_names.html", entered=entered, wrong=wrong, names=NAMES)


def _notice(changed: list[str]) -> str:
    if not changed:
        return "nothing-changed"
    return "address-link-sent" if "personal_email" in changed else "profile-changed"


def _spent() -> str:
    return render_template("address_spent.html")


def _back() -> Response:
    return redirect("/account/profile", 303)
