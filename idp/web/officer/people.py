"""Looking people up.  What is entered is part of the form, not of the address: addresses end in logs."""

from uuid import UUID

from flask import Blueprint, abort, g, render_template, request

from idp.db import db
from idp.flows.look_up_person import find_people, person_sheet
from idp.models import Account
from idp.web.language import language

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
    account = db.session.get(Account, account_id) or abort(404)
    return render_template("person.html", **person_sheet(g.here, account, language()))
