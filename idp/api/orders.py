"""The door for HR orders: ``POST /api/hr/v1/orders`` (Regulation 3.7; hr-orders).

The checks stand in the order in which they are made; nothing is stored before the last has passed.
"""

from ipaddress import ip_address
from typing import Any

from flask import Blueprint, g, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from idp.api.caller import calling_program
from idp.api.problem import Problem, answer
from idp.flows.execution_sheet import order_standing
from idp.flows.order_schema import broken_rules
from idp.flows.receive_order import Received, Reception, receive_order
from idp.json_body import NotJson, read_json
from idp.models import Order
from idp.service import service
from idp.standard_webhooks import HEADERS, is_signed

bp = Blueprint("orders", __name__, url_prefix="/api/hr/v1/orders")
bp.register_error_handler(Problem, answer)

SCOPE = "hr.orders.write"
LONGEST_BODY = 256 * 1024


@bp.post("")
def receive() -> Response:
    """202 for a new version, 200 for a known one; else a problem (the table of hr-orders)."""
    raw = _raw_body()
    source = _signed_by(raw)
    body = _json(raw)
    _of_this_source(body, source)
    _in_order(body)
    signature = {name: request.headers[name] for name in HEADERS}
    return _answer(receive_order(g.here.acting_as(f"source/{source}"), raw, body, signature))


@bp.get("/<order_id>/versions/<int(max=2147483647):version>")
def show_version(order_id: str, version: int) -> Response:
    """State of the order and of each line, without sensitive fields.  Signed like a delivery, over an empty body."""
    source = _signed_by(b"")
    found = order_standing(source, order_id, version)
    if found is None:
        raise Problem(404, "not_found", "no such version of such an order")
    order, lines = found
    return jsonify(_receipt(order) | {"persons": lines})


def _raw_body() -> bytes:
    if request.mimetype != "application/json":
        raise Problem(415, "unsupported_media_type", "application/json is expected")
    if (request.content_length or 0) > LONGEST_BODY:
        raise Problem(413, "too_large", f"at most {LONGEST_BODY} bytes")
    try:
        raw = request.stream.read(LONGEST_BODY + 1)
    except RequestEntityTooLarge:
        raw = b" " * (LONGEST_BODY + 1)
    if len(raw) > LONGEST_BODY:
        raise Problem(413, "too_large", f"at most {LONGEST_BODY} bytes")
    return raw


def _signed_by(raw: bytes) -> str:
    """The source system whose key signed these bytes, called by its client or from one of its addresses: a signature
    alone could be a copy, a token alone says nothing of the bytes (hr-orders, decision 2)."""
    caller = ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104  # an address that matches no network
    told = {name: request.headers.get(name, "") for name in HEADERS}
    for source, sender in service().settings.senders.items():
        keys = [key.get_secret_value() for key in sender.keys]
        if is_signed(told, raw, keys, g.here.now) and sender.may_call_from(caller):
            if sender.client_id is not None:
                calling_program(SCOPE, sender.client_id)
            return source
    raise Problem(401, "not_authentic", "signature, time stamp or address is not accepted")


def _json(raw: bytes) -> Any:
    try:
        return read_json(raw)
    except NotJson as error:
        raise Problem(400, "not_json", str(error)) from None


def _of_this_source(body: Any, source: str) -> None:
    told = body.get("source") if isinstance(body, dict) else None
    if isinstance(told, dict) and isinstance(told.get("system"), str) and told["system"] != source:
        raise Problem(401, "not_authentic", "the order names another source than its signature")


def _in_order(body: Any) -> None:
    broken = broken_rules(body)
    if broken:
        raise Problem(422, "invalid_order", "the order breaks the rules named under errors", broken[:50])


def _answer(received: Received) -> Response:
    if received.reception is Reception.CONFLICT:
        return answer(Problem(409, "version_conflict", "this version is known with other content"))
    if received.reception is Reception.STALE:
        return answer(Problem(409, "stale_version", "a newer version is known; this one was kept but not applied"))
    assert received.order is not None  # noqa: S101  # the two receptions left always carry one
    response = jsonify(_receipt(received.order))
    response.status_code = 202 if received.reception is Reception.NEW else 200
    response.headers["Location"] = f"{bp.url_prefix}/{received.order.order_id}/versions/{received.order.version}"
    return response


def _receipt(order: Order) -> dict[str, Any]:
    return {"receipt": order.receipt, "state": order.state}
