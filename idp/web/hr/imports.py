"""Orders out of a table: the file is looked at, the page says what it would do, and then it is done."""

import csv
from io import StringIO
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.flows.import_orders import carry_out_import, preview_import, template
from idp.flows.refusal import Refusal

bp = Blueprint("imports", __name__, url_prefix="/orders/import")


@bp.get("")
def ask() -> str:
    return render_template("order_import.html")


@bp.post("")
def look() -> str | tuple[str, int]:
    sent = request.files.get("table")
    data = sent.read() if sent else b""
    if not data:
        return render_template("order_import.html", refusal="table-required"), 422
    preview = preview_import(g.here, data)
    return render_template("order_import.html", preview=preview), 422 if preview.wrong else 200


@bp.post("/<uuid:import_id>")
def carry_out(import_id: UUID) -> Response:
    outcome = carry_out_import(g.here, import_id)
    flash(outcome.code if isinstance(outcome, Refusal) else "orders-imported", "notice")
    return redirect("/orders", 303)


@bp.get("/template.csv")
def empty() -> Response:
    """With a byte order mark, by which spreadsheets know UTF-8."""
    written = StringIO()
    csv.writer(written, delimiter=";").writerow(template())
    headers = {"Content-Disposition": 'attachment; filename="orders.csv"'}
    return Response("\ufeff" + written.getvalue(), mimetype="text/csv", headers=headers)
