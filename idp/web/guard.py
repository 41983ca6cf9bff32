"""Who may reach which route.  Deny by default: a route without a row here does not start (ASVS V8)."""

from dataclasses import dataclass

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from idp.web.visitor import has_arrived
from policies.permissions import Whom, may


@dataclass(frozen=True, slots=True)
class Rule:
    """`arrived`: every step of the sign-in is done; `act`: a row of the permissions table that must be allowed for
    somebody.  What is left out asks for no more."""

    signed_in: bool = False
    arrived: bool = False
    act: str | None = None


OPEN = Rule()  # anybody; the view itself decides what to say
MACHINE = Rule()  # programs, which prove themselves inside the endpoint
ON_THE_WAY = Rule(signed_in=True)  # a page of the sign-in itself
PERSON = Rule(signed_in=True, arrived=True)
DESK = Rule(signed_in=True, arrived=True, act="see-desk")
ORDERS = Rule(signed_in=True, arrived=True, act="see-order")

ROUTES: dict[str, Rule] = {
    "static": OPEN,
    "bootstrap.static": OPEN,
    "health.live": MACHINE,
    "health.ready": MACHINE,
    "orders.receive": MACHINE,
    "orders.show_version": MACHINE,
    "signin.show": OPEN,
    "signin.submit": OPEN,
    "signin.next_page": OPEN,
    "agreement.show": ON_THE_WAY,
    "agreement.submit": ON_THE_WAY,
    "activation.show": OPEN,
    "activation.submit": OPEN,
    "signout.show": OPEN,
    "signout.submit": OPEN,
    "signout.signed_out": OPEN,
    "account.home": OPEN,
    "account.show": PERSON,
    "desk.show": DESK,
    "desk.lift": DESK,
    "desk.confirm": DESK,
    "desk.send_activation": DESK,
    "order_pages.index": ORDERS,
    "order_pages.sheet": ORDERS,
    "order_pages.sheet_json": ORDERS,
    "oauth.authorize": OPEN,
    "oauth.logout": OPEN,
    "oauth.token": MACHINE,
    "oauth.revoke": MACHINE,
    "oauth.userinfo": MACHINE,
    "oauth.jwks": MACHINE,
    "oauth.metadata": MACHINE,
}


def check_every_route(app: Flask) -> None:
    """Refuse to start with a route nobody has decided about."""
    undecided = {rule.endpoint for rule in app.url_map.iter_rules()} - ROUTES.keys()
    if undecided:
        raise RuntimeError(f"routes without a rule in idp/web/guard.py: {sorted(undecided)}")
    app.before_request(_let_in)


def _let_in() -> Response | None:
    rule = ROUTES.get(request.endpoint or "", OPEN)
    if not rule.signed_in:
        return None
    if g.session is None or (rule.arrived and not has_arrived()):
        waiting = request.values.get("request")
        if rule.arrived and request.method == "GET":
            session["after"] = request.path  # one of our own routes; the dispatcher comes back to it
        return redirect(url_for("signin.next_page", request=waiting), 303)
    if rule.act and not may(rule.act, g.here.who, Whom(None, frozenset(), None), g.here.now):
        abort(404)  # «not yours» and «not there» look the same
    return None
