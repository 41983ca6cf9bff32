"""Orders and their execution sheets, as page and as JSON; and deciding about those that wait for a second person."""

from uuid import UUID

from flask import Blueprint, abort, flash, g, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.execution_sheet import execution_sheet, list_orders
from idp.flows.hold_order import drop_order, release_order
from idp.flows.refusal import Refusal
from idp.models import Order
from idp.web.hr.proof import plain
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


@bp.post("/<uuid:order_pk>/release")
def release(order_pk: UUID) -> Response | tuple[str, int]:
    order = _order(order_pk)
    return _settled(order, release_order(g.here, order, request.form.get("reason", "")), "order-released")


@bp.post("/<uuid:order_pk>/drop")
def drop(order_pk: UUID) -> Response | tuple[str, int]:
    order = _order(order_pk)
    return _settled(order, drop_order(g.here, order, request.form.get("reason", "")), "order-dropped")


def _settled(order: Order, refusal: Refusal | None, done: str) -> Response | tuple[str, int]:
    if refusal is not None:
        sheet = execution_sheet(g.here, order, language())
        return render_template("execution_sheet.html", refusal=refusal.code, **sheet), 422
    flash(done, "notice")
    return redirect(f"/orders/{order.id}", 303)


def _order(order_pk: UUID) -> Order:
    return db.session.get(Order, order_pk) or abort(404)
