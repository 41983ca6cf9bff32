"""The page that asks whether a client may have what it wants (OIDC Core, 3.1.2.4; RFC 9396).

What is shown and what is agreed to come from the waiting request; the form carries only its token.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from idp.flows.give_consent import Asked, give_consent
from idp.flows.record import record
from idp.oauth.authorization_request import AuthorizationRequest
from idp.oauth.consent import claims_named, nobody_checked
from idp.oauth.finish import NO_CONSENT
from idp.oauth.interaction import PendingRequest, facts_for
from idp.web.signin.sign_in import denied, pending
from policies.claims import CLAIMS
from policies.interaction import Step, next_step

bp = Blueprint("consent", __name__, url_prefix="/consent")

OF_THE_SIGN_IN = frozenset({"sub", "acr", "amr", "auth_time", "nonce", "sid"})  # claims that tell nothing of a person


@bp.get("")
def show() -> str | Response:
    waiting = _waiting()
    return _dispatcher() if waiting is None else _page(waiting)


@bp.post("")
def submit() -> Response:
    """Whatever is not the one button is the other."""
    waiting = _waiting()
    if waiting is None:
        return _dispatcher()
    if request.form.get("consent") != "allow":
        record(g.here, "consent-refused", g.session.account, subject=f"client/{waiting.client.client_id}")
        return denied(waiting, NO_CONSENT)
    give_consent(g.here, g.session.account, waiting.client.id, _asked(waiting.request))
    return _dispatcher()


def _waiting() -> PendingRequest | None:
    """The request this page is the next step of."""
    waiting = pending(request.values.get("request"))
    step = next_step(facts_for(waiting, g.session, g.here), g.here.now)
    return waiting if step is Step.CONSENT else None


def _dispatcher() -> Response:
    return redirect(url_for("signin.next_page", request=request.values.get("request") or None), 303)


def _asked(wanted: AuthorizationRequest) -> Asked:
    return Asked(wanted.scope, claims_named(wanted), wanted.resources, wanted.authorization_details)


def _page(waiting: PendingRequest) -> str:
    wanted, client = waiting.request, waiting.client
    return render_template(
        "consent.html",
        client=client,
        host=_host(wanted.redirect_uri),
        by_itself=nobody_checked(client),
        scopes=[scope for scope in wanted.scope if scope != "openid"],
        claims=_single_claims(wanted),
        resources=wanted.resources,
        details=[(detail["type"], list(_fields(detail))) for detail in wanted.authorization_details],
        request_id=request.values.get("request"),
    )


def _host(redirect_uri: str) -> str:
    """Where the answer goes, as people can recognise it; an application on a device has a scheme of its own."""
    address = urlsplit(redirect_uri)
    return address.netloc or f"{address.scheme}:"


def _single_claims(wanted: AuthorizationRequest) -> list[str]:
    """Those that no scope of the request opens anyway."""
    opened = {claim for scope in wanted.scope for claim in CLAIMS.get(scope, ())}
    return sorted(claims_named(wanted) - opened - OF_THE_SIGN_IN)


def _fields(detail: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of an authorization detail, one a line however deep they lie: ("amount › currency", "KGS").

    Without recursion: how deep it goes is up to the client.
    """
    left = [(name, value) for name, value in reversed(detail.items()) if name != "type"]
    while left:
        path, value = left.pop()
        if value and isinstance(value, dict):
            left += [(f"{path} › {name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            left += reversed([(f"{path} › {number}", inner) for number, inner in enumerate(value, 1)])
        else:
            yield path, ", ".join(map(_word, value)) if value and isinstance(value, list) else _word(value)


def _word(value: Any) -> str:
    """As JSON says it."""
    return value if isinstance(value, str) else json.dumps(value)
