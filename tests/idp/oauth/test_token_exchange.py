"""Token exchange (RFC 8693): narrower, never wider, and over when the first token is."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Client, Link
from policies.registration import TOKEN_EXCHANGE
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, VERIFIER, Party, Registered, answer_of, claims_in
from tests.idp.oauth.proofs import Prover

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
GATE, STORE, ARCHIVE = "https://gate.example/", "https://store.example/", "https://archive.example/"
SCOPE = "openid profile orders:read"


def a_portal(party: Party, **changes: Any) -> Registered:
    """Where people sign in; it calls the gate."""
    return party.client(**({"resources": [GATE]} | changes))


def a_gate(party: Party, **changes: Any) -> Registered:
    """A service that takes tokens for itself and calls the store."""
    plain = {"grant_types": [TOKEN_EXCHANGE, "client_credentials"], "redirect_uris": [], "audiences": [GATE],
             "resources": [STORE], "scope": "profile orders:read orders:write"}  # fmt: skip
    return party.client(**(plain | changes))


def exchange(party: Party, client: Registered, subject_token: str, /, **changes: Any) -> TestResponse:
    plain = {"subject_token": subject_token, "subject_token_type": ACCESS_TOKEN}
    form = {name: value for name, value in (plain | changes).items() if value is not None}
    return party.token(client, grant_type=TOKEN_EXCHANGE, **form)


def for_the_gate(party: Party, make: Make, portal: Registered | None = None, **changes: Any) -> dict[str, Any]:
    """The tokens that the portal has for the gate."""
    asked = {"scope": SCOPE, "resource": GATE} | changes
    return party.tokens(make.account(), portal or a_portal(party), **asked)


def own_token(party: Party, client: Registered) -> str:
    return str(party.token(client, grant_type="client_credentials").get_json()["access_token"])


@pytest.mark.parametrize("word", ["resource", "audience"])
@pytest.mark.parametrize("kind", [ACCESS_TOKEN, JWT])
def test_a_service_turns_a_token_into_one_for_the_next(
    party: Party, make: Make, clock: SetClock, word: str, kind: str
) -> None:
    portal, gate = a_portal(party), a_gate(party)
    first = claims_in(token := for_the_gate(party, make, portal)["access_token"])
    clock.advance(minutes=4)
    asked = {word: STORE, "scope": "orders:read", "subject_token_type": kind, "requested_token_type": kind}
    answer = exchange(party, gate, token, **asked)
    told = answer.get_json()
    assert told | {"access_token": ""} == {
        "access_token": "", "token_type": "Bearer", "expires_in": 360, "scope": "orders:read",
        "issued_token_type": kind,
    }  # fmt: skip
    second = claims_in(told["access_token"])
    assert second.items() >= {
        "sub": first["sub"], "aud": STORE, "scope": "orders:read", "client_id": gate.client_id, "exp": first["exp"],
        "grant": first["grant"], "act": {"sub": gate.client_id},
    }.items()  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    with party.app.app_context():
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "token-exchanged")).one()
        assert (row.login, row.actor, row.after["audience"]) == ("aida", f"client/{gate.client_id}", [STORE])
        db.session.remove()


def test_what_is_not_asked_for_is_what_both_have(party: Party, make: Make) -> None:
    gate = a_gate(party)
    portal = a_portal(party, resources=[GATE, ARCHIVE])
    token = for_the_gate(party, make, portal, resource=[GATE, ARCHIVE])["access_token"]
    told = exchange(party, gate, token).get_json()
    assert (told["scope"], claims_in(told["access_token"])["aud"]) == ("orders:read profile", GATE)


def test_a_client_narrows_its_own_token(party: Party, make: Make) -> None:
    client = party.client(grant_types=["authorization_code", TOKEN_EXCHANGE], resources=[STORE])
    token = party.tokens(make.account(), client, scope=SCOPE)["access_token"]
    told = exchange(party, client, token, scope="openid").get_json()
    assert claims_in(told["access_token"])["aud"] == party.base
    assert party.userinfo(told["access_token"]).get_json().keys() == {"sub"}
    assert claims_in(exchange(party, client, token, resource=STORE).get_json()["access_token"])["aud"] == STORE


def test_every_hand_a_token_went_through_is_named(party: Party, make: Make) -> None:
    gate, store = a_gate(party), a_gate(party, audiences=[STORE], resources=[ARCHIVE])
    first = for_the_gate(party, make)["access_token"]
    second = exchange(party, gate, first, resource=STORE).get_json()["access_token"]
    third = exchange(party, store, second, resource=ARCHIVE).get_json()["access_token"]
    assert claims_in(third)["act"] == {"sub": store.client_id, "act": {"sub": gate.client_id}}
    loop = a_gate(party, audiences=[STORE])
    for _ in range(4):
        second = exchange(party, loop, second).get_json()["access_token"]
    assert exchange(party, loop, second).get_json()["error"] == "invalid_request"


def test_a_client_with_names_of_its_own_gets_its_own_name(party: Party, make: Make) -> None:
    gate = a_gate(
        party,
        subject_type="pairwise",
        redirect_uris=["https://gate.example/back"],
        grant_types=["authorization_code", TOKEN_EXCHANGE],
    )
    someone = make.account()
    token = party.tokens(someone, a_portal(party), scope=SCOPE, resource=GATE)["access_token"]
    sub = claims_in(exchange(party, gate, token).get_json()["access_token"])["sub"]
    signed_in = party.authorize(party.browser(someone), gate, redirect_uri="https://gate.example/back", scope="profile")
    code = answer_of(signed_in, "https://gate.example/back")["code"]
    own = party.redeem(gate, code, redirect_uri="https://gate.example/back").get_json()["access_token"]
    assert sub == claims_in(own)["sub"] != someone.sub


def test_a_bound_token_is_handed_on_and_the_new_one_is_bound_to_the_callers_key(party: Party, make: Make) -> None:
    """The caller had seen the proof of the first key, and has not that key."""
    portal, gate, first, second = a_portal(party), a_gate(party), Prover(party), Prover(party)
    code = party.code(make.account(), portal, scope=SCOPE, resource=GATE)
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "grant_type": "authorization_code"}
    token = party.token(portal, headers={"DPoP": first.proof()}, **form).get_json()["access_token"]
    assert claims_in(token)["cnf"] == {"jkt": first.jkt}
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    told = party.token(gate, headers={"DPoP": second.proof()}, **form).get_json()
    assert told["token_type"] == "DPoP"
    assert claims_in(told["access_token"])["cnf"] == {"jkt": second.jkt}
    told = exchange(party, gate, token).get_json()
    assert told["token_type"] == "Bearer"
    assert "cnf" not in claims_in(told["access_token"]), "the caller can't show the first key"


def test_only_the_clients_own_token_may_be_shown_as_the_actors(party: Party, make: Make) -> None:
    gate, other = a_gate(party), a_gate(party)
    token = for_the_gate(party, make)["access_token"]
    actor = {"actor_token": own_token(party, gate), "actor_token_type": ACCESS_TOKEN}
    assert exchange(party, gate, token, **actor).status_code == 200
    for shown in (own_token(party, other), token, "rubbish"):
        answer = exchange(party, gate, token, actor_token=shown, actor_token_type=ACCESS_TOKEN)
        assert answer.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "rubbish"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "rubbish"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"resource": ARCHIVE}, "invalid_target"),
        ({"audience": "gate"}, "invalid_target"),
        ({"resource": STORE, "audience": ARCHIVE}, "invalid_target"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "orders:write"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
    ],
)
def test_more_than_that_is_refused(party: Party, make: Make, changes: dict[str, Any], error: str) -> None:
    answer = exchange(party, a_gate(party), for_the_gate(party, make)["access_token"], **changes)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_a_token_that_is_not_for_the_caller_is_of_no_use(party: Party, make: Make) -> None:
    tokens = for_the_gate(party, make)
    for stranger in (a_gate(party, audiences=[STORE]), a_gate(party, audiences=[], resources=[GATE, STORE])):
        assert exchange(party, stranger, tokens["access_token"]).get_json()["error"] == "invalid_request"
    ours = a_gate(party, audiences=[party.base, STORE])
    plain = party.tokens(make.account("bakyt"), a_portal(party), scope=SCOPE)["access_token"]
    assert exchange(party, ours, plain).get_json()["error"] == "invalid_request", "ours are nobody else's to exchange"
    gate = a_gate(party)
    for token in (tokens["id_token"], tokens["refresh_token"], own_token(party, gate)):
        assert exchange(party, gate, token).get_json()["error"] == "invalid_request"


def test_our_own_endpoints_are_nothing_to_exchange_into(party: Party, make: Make) -> None:
    gate = a_gate(party, resources=[STORE, party.base])
    answer = exchange(party, gate, for_the_gate(party, make)["access_token"], resource=party.base)
    assert answer.get_json()["error"] == "invalid_target"


def test_only_registered_clients_with_a_secret_may(party: Party, make: Make) -> None:
    token = for_the_gate(party, make)["access_token"]
    public = party.client(public=True, resources=[GATE])
    assert exchange(party, public, token).status_code == 401
    plain = a_gate(party, grant_types=["client_credentials"])
    assert exchange(party, plain, token).get_json()["error"] == "unauthorized_client"


def test_what_ends_the_grant_ends_the_exchange(party: Party, make: Make, clock: SetClock) -> None:
    portal, gate = a_portal(party), a_gate(party)
    tokens = for_the_gate(party, make, portal)
    assert party.revoke(portal, token=tokens["refresh_token"]).status_code == 200
    assert exchange(party, gate, tokens["access_token"]).get_json()["error"] == "invalid_request"
    another = make.account("bakyt")
    token = party.tokens(another, portal, scope=SCOPE, resource=GATE)["access_token"]
    make.close(another)
    assert exchange(party, gate, token).get_json()["error"] == "invalid_request"
    third = party.tokens(make.account("third"), portal, scope=SCOPE, resource=GATE)["access_token"]
    clock.advance(minutes=10)
    assert exchange(party, gate, third).get_json()["error"] == "invalid_request"


def test_what_came_through_a_client_that_is_gone_goes_no_further(party: Party, make: Make, clock: SetClock) -> None:
    gate, store = a_gate(party), a_gate(party, audiences=[STORE])
    token = exchange(party, gate, for_the_gate(party, make)["access_token"], resource=STORE).get_json()["access_token"]
    assert exchange(party, store, token).status_code == 200
    with party.app.app_context():
        db.session.scalars(select(Client).where(Client.client_id == gate.client_id)).one().removed_at = clock.now()
        db.session.commit()
        db.session.remove()
    assert exchange(party, store, token).get_json()["error"] == "invalid_request"


def test_of_the_details_those_stay_whose_type_the_caller_may_have(party: Party, make: Make) -> None:
    details = [{"type": "payment", "amount": "100"}, {"type": "report"}]
    portal = a_portal(party, authorization_details_types=["payment", "report"])
    token = for_the_gate(party, make, portal, authorization_details=json.dumps(details))["access_token"]
    gate = a_gate(party, authorization_details_types=["payment"])
    told = exchange(party, gate, token).get_json()
    assert claims_in(told["access_token"])["authorization_details"] == details[:1]
    assert "authorization_details" not in claims_in(exchange(party, a_gate(party), token).get_json()["access_token"])


def test_the_person_needs_access_to_the_system_of_the_caller_too(party: Party, make: Make) -> None:
    gate, someone = a_gate(party, system="unet"), make.account()
    token = party.tokens(someone, a_portal(party), scope=SCOPE, resource=GATE)["access_token"]
    assert exchange(party, gate, token).status_code == 200
    with party.app.app_context():
        db.session.scalars(select(Link)).one().active = False
        db.session.commit()
        db.session.remove()
    assert exchange(party, gate, token).get_json()["error"] == "invalid_request"


def test_giving_an_exchanged_token_back_takes_nothing_from_others(party: Party, make: Make) -> None:
    portal, gate = a_portal(party), a_gate(party)
    tokens = for_the_gate(party, make, portal)
    second = exchange(party, gate, tokens["access_token"], resource=STORE).get_json()["access_token"]
    assert party.revoke(gate, token=second).get_json()["error"] == "unsupported_token_type"
    assert party.refresh(portal, tokens["refresh_token"]).status_code == 200
