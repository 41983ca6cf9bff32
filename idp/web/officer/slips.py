"""Slips for people without a password: printed by an officer, handed over, and the hand-over noted (4.4, 5.1)."""

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, request
from flask_babel import force_locale, format_date, format_datetime
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.here import Here
from idp.flows.refusal import Refusal
from idp.flows.slips import Slip, hand_over_slip, print_slip
from idp.models import Account
from idp.paper import qr_code, typeset
from idp.web.language import spoken
from policies.slips import shown

bp = Blueprint("slips", __name__, url_prefix="/desk/activations")


@bp.post("/<uuid:account_id>/slip")
def print_one(account_id: UUID) -> Response:
    """The code is in this answer and nowhere else."""
    slip = print_slip(g.here, _account(account_id))
    if isinstance(slip, Refusal):
        flash(slip.code, "notice")
        return redirect("/desk", 303)
    headers = {"Content-Disposition": 'inline; filename="slip.pdf"'}
    return Response(slip_pdf(g.here, slip), mimetype="application/pdf", headers=headers)


@bp.post("/<uuid:account_id>/handed-over")
def hand_over(account_id: UUID) -> Response:
    slip_id = request.form.get("slip", type=UUID)
    refusal = hand_over_slip(g.here, _account(account_id), slip_id) if slip_id else Refusal("slip-gone")
    flash(refusal.code if refusal else "slip-handed-over", "notice")
    return redirect("/desk", 303)


def slip_pdf(here: Here, slip: Slip) -> bytes:
    """The sheet, in every language of the house at once."""
    address = f"{here.service.settings.base_url}/activation"
    names = here.service.profile.institution.names
    return typeset(
        "slip",
        {
            "language": spoken()[0],
            "title": _in_each(_("First sign-in")),
            "institution": " · ".join(names.to(one) for one in spoken()),
            "name": slip.display_name,
            "login": slip.login,
            "code": shown(slip.code),
            "address": address,
            "qr": qr_code(f"{address}/{slip.code}"),
            "qr_alt": _in_each(_("The address with the code, to be scanned")),
            "labels": {
                "name": _in_each(_("Full name")),
                "login": _in_each(_("Login")),
                "address": _in_each(_("Address")),
                "code": _in_each(_("Code")),
            },
            "told": [_told(one, slip.until) for one in spoken()],
            "printed": f"{format_datetime(here.now, 'yyyy-MM-dd HH:mm')} · {here.actor.removeprefix('account/')}",
        },
    )


def _told(language: str, until: date) -> dict[str, object]:
    """What to do, for readers of one language."""
    with force_locale(language):
        day = format_date(until, str(_("d MMM yyyy")))
        return {
            "language": language,
            "heading": str(_("How to sign in for the first time")),
            "steps": [
                str(_("Scan the square with your phone, or open the address above and type the code.")),
                str(_("Choose a password of your own. Nobody else knows it, and nobody will ever ask you for it.")),
                str(
                    _(
                        "The code works once, for a few days: if you were given this sheet today, until %(day)s.",
                        day=day,
                    )
                ),
                str(_("If it is too late, or the sheet was lost, ask the officer who gave it to you for a new one.")),
            ],
        }


def _in_each(text: object) -> str:
    """Short words in every language of the house; those that are the same in two stand once."""
    return " · ".join(dict.fromkeys(_in(language, text) for language in spoken()))


def _in(language: str, text: object) -> str:
    with force_locale(language):
        return str(text)


def _account(account_id: UUID) -> Account:
    return db.session.get(Account, account_id) or abort(404)
