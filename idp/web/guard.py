"""Who may reach which route.  Deny by default: a route without a row here does not start (ASVS V8)."""

from dataclasses import dataclass
from urllib.parse import quote

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from idp.web.audience import for_programs
from idp.web.visitor import has_arrived, step_of
from policies.interaction import Step
from policies.permissions import Whom, may
from policies.sessions import is_fresh


@dataclass(frozen=True, slots=True)
class Rule:
    """`arrived`: every step of the sign-in is done; `act`: a row of the permissions table that must be allowed for
    somebody; `machine`: no browser comes here; `fresh`: the person proved themselves a moment ago, by all that they
    enrolled (ASVS 7.5.1); `fresh_factor`: so did whoever has a second factor; `enrolling`: open as well to who must
    enrol a factor to arrive.  What is left out asks for no more."""

    signed_in: bool = False
    arrived: bool = False
    act: str | None = None
    machine: bool = False
    fresh: bool = False
    fresh_factor: bool = False
    enrolling: bool = False
    back: str = "factors.show"  # the page a form is on, for who has to prove themselves first


OPEN = Rule()  # anybody; the view itself decides what to say
MACHINE = Rule(machine=True)  # programs, which prove themselves inside the endpoint
ON_THE_WAY = Rule(signed_in=True)  # a page of the sign-in itself
PERSON = Rule(signed_in=True, arrived=True)
FACTORS = Rule(signed_in=True, arrived=True, fresh=True, enrolling=True)
PASSWORD = Rule(signed_in=True, arrived=True, fresh_factor=True, back="password.show")
CONTACTS = Rule(signed_in=True, arrived=True, fresh=True, back="profile.show_contacts")
DESK = Rule(signed_in=True, arrived=True, act="see-desk")
PEOPLE = Rule(signed_in=True, arrived=True, act="see-people")
IMPORTS = Rule(signed_in=True, arrived=True, act="import-orders")
ORDERS = Rule(signed_in=True, arrived=True, act="see-order")
CLIENTS = Rule(signed_in=True, arrived=True, act="register-client")
CHANGES = Rule(signed_in=True, arrived=True, act="confirm-change")
SYSTEMS = Rule(signed_in=True, arrived=True, act="reconcile")
MISUSE = Rule(signed_in=True, arrived=True, act="handle-misuse")

LONGEST_ADDRESS = 200  # characters

SCIM = tuple(f"scim.{name}" for name in (
    "service_provider_config", "resource_types", "resource_type", "schemas", "schema", "bulk", "me_query", "me_replace",
    "me_patch", "me_delete", "me_create", "search_root", "search_root_with_body", "search_with_body", "search",
    "create", "query", "replace", "patch", "delete", "fallback",
))  # fmt: skip  # there only where the setting is on

ROUTES: dict[str, Rule] = {
    "static": OPEN,
    "bootstrap.static": OPEN,
    "health.live": MACHINE,
    "health.ready": MACHINE,
    "orders.receive": MACHINE,
    "orders.show_version": MACHINE,
    "clients.index": MACHINE,
    "clients.add": MACHINE,
    "clients.show": MACHINE,
    "clients.change": MACHINE,
    "clients.remove": MACHINE,
    "clients.rotate": MACHINE,
    "attempts.count": MACHINE,
    **dict.fromkeys(SCIM, MACHINE),
    "signin.show": OPEN,
    "signin.submit": OPEN,
    "signin.submit_passkey": OPEN,
    "signin.next_page": OPEN,
    "signin.turn_back": ON_THE_WAY,
    "agreement.show": ON_THE_WAY,
    "agreement.submit": ON_THE_WAY,
    "choose_account.show": ON_THE_WAY,
    "choose_account.submit": ON_THE_WAY,
    "consent.show": ON_THE_WAY,
    "consent.submit": ON_THE_WAY,
    "activation.ask": OPEN,
    "activation.find": OPEN,
    "activation.show": OPEN,
    "activation.submit": OPEN,
    "activation.advise": OPEN,
    "recovery.forgotten_password": OPEN,
    "recovery.ask_for_password": OPEN,
    "recovery.forgotten_login": OPEN,
    "recovery.ask_for_login": OPEN,
    "recovery.show": OPEN,
    "recovery.submit": OPEN,
    "recovery.advise": OPEN,
    "device_link.show": PERSON,
    "device_link.look_up": PERSON,
    "device_link.decide": PERSON,
    "second_factor.show": ON_THE_WAY,
    "second_factor.submit": ON_THE_WAY,
    "signout.show": OPEN,
    "signout.submit": OPEN,
    "signout.signed_out": OPEN,
    "account.home": OPEN,
    "account.show": PERSON,
    "password.show": PASSWORD,
    "password.submit": PASSWORD,
    "password.advise": PASSWORD,
    "open_system.show": PERSON,
    "account.withdraw": PERSON,
    "account_sessions.show": PERSON,
    "account_sessions.end": PERSON,
    "account_sessions.end_others": PERSON,
    "account_history.show": PERSON,
    "account_agreements.index": PERSON,
    "account_agreements.show": PERSON,
    "account_agreements.download": PERSON,
    "report_misuse.show": OPEN,
    "report_misuse.submit": OPEN,
    "report_misuse.show_own": PERSON,
    "report_misuse.submit_own": PERSON,
    "misuse.show": MISUSE,
    "misuse.close": MISUSE,
    "profile.show": PERSON,
    "profile.choose": PERSON,
    "profile.show_contacts": CONTACTS,
    "profile.change": CONTACTS,
    "profile.show_names": PERSON,
    "profile.ask": PERSON,
    "profile.withdraw": PERSON,
    "profile.show_address": PERSON,
    "profile.prove": PERSON,
    "factors.show": FACTORS,
    "factors.add": FACTORS,
    "factors.add_passkey": FACTORS,
    "factors.set_up": FACTORS,
    "factors.confirm": FACTORS,
    "factors.rename": FACTORS,
    "factors.remove": FACTORS,
    "factors.renew_codes": FACTORS,
    "desk.show": DESK,
    "people.ask": PEOPLE,
    "people.find": PEOPLE,
    "people.show": PEOPLE,
    "people.decide": DESK,
    "people.lift": DESK,
    "desk.lift": DESK,
    "desk.lift_several": DESK,
    "desk.refuse": DESK,
    "desk.confirm": DESK,
    "desk.reset": DESK,
    "desk.send_activation": DESK,
    "slips.print_one": DESK,
    "slips.hand_over": DESK,
    "order_pages.index": ORDERS,
    "order_pages.sheet": ORDERS,
    "order_pages.sheet_json": ORDERS,
    "order_pages.release": ORDERS,
    "imports.ask": IMPORTS,
    "imports.look": IMPORTS,
    "imports.carry_out": IMPORTS,
    "imports.empty": IMPORTS,
    "proof.order_pdf": ORDERS,
    "proof.order_jwt": ORDERS,
    "files.of_order": ORDERS,
    "files.of_person": PEOPLE,
    "proof.person_pdf": PEOPLE,
    "proof.person_jwt": PEOPLE,
    "proof.report": ORDERS,
    "proof.report_pdf": ORDERS,
    "order_pages.drop": ORDERS,
    "changes.index": CHANGES,
    "changes.confirm": CHANGES,
    "changes.refuse": CHANGES,
    "systems.index": SYSTEMS,
    "systems.scan": SYSTEMS,
    "systems.show": SYSTEMS,
    "systems.try_again": SYSTEMS,
    "systems.bring_into_line": SYSTEMS,
    "systems.take": SYSTEMS,
    "systems.let_be": SYSTEMS,
    "client_pages.index": CLIENTS,
    "client_pages.new": CLIENTS,
    "client_pages.add": CLIENTS,
    "client_pages.show": CLIENTS,
    "client_pages.change": CLIENTS,
    "client_pages.rotate": CLIENTS,
    "client_pages.ask_to_remove": CLIENTS,
    "client_pages.remove": CLIENTS,
    "initial_tokens.index": CLIENTS,
    "initial_tokens.add": CLIENTS,
    "initial_tokens.revoke": CLIENTS,
    "oauth.authorize": OPEN,
    "oauth.logout": OPEN,
    "oauth.check_session": MACHINE,  # a browser's frame; it needs nothing of what pages have
    "oauth.token": MACHINE,
    "oauth.push": MACHINE,
    "oauth.revoke": MACHINE,
    "oauth.userinfo": MACHINE,
    "oauth.introspect": MACHINE,
    "oauth.device_authorization": MACHINE,
    "oauth.jwks": MACHINE,
    "oauth.register": MACHINE,
    "oauth.show_registration": MACHINE,
    "oauth.change_registration": MACHINE,
    "oauth.remove_registration": MACHINE,
    "oauth.metadata": MACHINE,
}


def check_every_route(app: Flask) -> None:
    """Refuse to start with a route nobody has decided about, or that would be treated as something else than its rule."""
    undecided = {rule.endpoint for rule in app.url_map.iter_rules()} - ROUTES.keys()
    if undecided:
        raise RuntimeError(f"routes without a rule in idp/web/guard.py: {sorted(undecided)}")
    misplaced = {
        rule.rule for rule in app.url_map.iter_rules() if for_programs(rule.rule) != ROUTES[rule.endpoint].machine
    }
    if misplaced:
        raise RuntimeError(f"idp/web/guard.py and idp/web/audience.py differ about {sorted(misplaced)}")
    app.before_request(_let_in)


def _let_in() -> Response | None:
    rule = ROUTES.get(request.endpoint or "", OPEN)
    if not rule.signed_in:
        return None
    if g.session is None or (rule.arrived and not has_arrived() and not _may_enrol(rule)):
        waiting = request.values.get("request")
        if rule.arrived and request.method == "GET":
            session["after"] = _address()  # the dispatcher comes back to it
        return redirect(url_for("signin.next_page", request=waiting), 303)
    wants_fresh = rule.fresh or (rule.fresh_factor and g.session.has_factor)
    if wants_fresh and not is_fresh(g.session.authenticated_at, g.here.now):
        session["after"] = _address() if request.method == "GET" else url_for(rule.back)
        return redirect(url_for("signin.show", again="", request=request.values.get("request")), 303)
    if rule.act and not may(rule.act, g.here.who, Whom(None, frozenset(), None), g.here.now):
        abort(404)  # «not yours» and «not there» look the same
    return None


def _may_enrol(rule: Rule) -> bool:
    """The first factor is enrolled on the way in."""
    return rule.enrolling and step_of() is Step.ENROL_FACTOR


def _address() -> str:
    """Where this request went, one of our own routes; what its query adds only while it is short: a cookie carries it."""
    path, query = quote(request.path), request.query_string.decode("latin-1")
    address = f"{path}?{query}" if query else path
    return address if len(address) <= LONGEST_ADDRESS else path
