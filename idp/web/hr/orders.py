"""Orders and their execution sheets, as page and as JSON."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, jsonify, render_template
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.execution_sheet import execution_sheet, list_orders
from idp.models import Order
from idp.web.language import language

bp = Blueprint("order_pages", __name__, url_prefix="/orders")


@bp.get("")
def index() -> str:
    return render_template("orders.html", orders=list_orders(g.here))


@bp.get("/<uuid:order_pk>")
def sheet(order_pk: UUID) -> str:
    return render_template("execution_sheet.html", **execution_sheet(g.here, _order(order_pk), language()))


@bp.get("/<uuid:order_pk>.json")
def sheet_json(order_pk: UUID) -> Response:
    return jsonify(plain(execution_sheet(g.here, _order(order_pk), language())))


def _order(order_pk: UUID) -> Order:
    return db.session.get(Order, order_pk) or abort(404)


def plain(value: Any) -> Any:
    """Days and moments in ISO 8601, all else as it is."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
