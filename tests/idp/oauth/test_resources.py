"""For whom a token is (RFC 8707), and rights told in detail (RFC 9396)."""

import json
from typing import Any

import pytest

from tests.builders import Make
from tests.idp.oauth.driver import Party, Registered, answer_of, claims_in

GATE, STORE = "https://gate.example/", "https://store.example/"
PAY = {"type": "payment", "amount": {"currency": "KGS", "value": 7}}


@pytest.fixture
def client(party: Party) -> Registered:
    return party.client(resources=[GATE, STORE], authorization_details_types=["payment", "booking"])


def audience(tokens: dict[str, Any]) -> Any:
    return claims_in(tokens["access_token"])["aud"]


def test_a_token_is_for_what_was_asked_for_and_else_for_ourselves(party: Party, make: Make, client: Registered) -> None:
    someone = make.account()
    assert audience(party.tokens(someone, client)) == party.base
    tokens = party.tokens(someone, client, resource=GATE)
    assert audience(tokens) == GATE
    assert party.userinfo(tokens["access_token"]).status_code == 401, "it is for somebody else"
    assert audience(party.tokens(someone, client, resource=[GATE, STORE])) == [GATE, STORE]


def test_at_the_token_endpoint_it_may_be_less_and_never_more(party: Party, make: Make, client: Registered) -> None:
    someone = make.account()
    code = party.code(someone, client, resource=[GATE, STORE])
    first = party.redeem(client, code, resource=GATE).get_json()
    assert audience(first) == GATE
    second = party.refresh(client, first["refresh_token"], resource=STORE).get_json()
    assert audience(second) == STORE
    assert audience(party.refresh(client, second["refresh_token"]).get_json()) == [GATE, STORE]
    code = party.code(someone, client, resource=GATE)
    answer = party.redeem(client, code, resource=STORE)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_target")


def test_a_client_that_acts_for_itself_names_its_target_too(party: Party) -> None:
    machine = party.client(grant_types=["client_credentials"], redirect_uris=[], resources=[GATE])
    form: dict[str, Any] = {"grant_type": "client_credentials"}
    assert audience(party.token(machine, resource=GATE, **form).get_json()) == GATE
    assert audience(party.token(machine, **form).get_json()) == party.base
    assert party.token(machine, resource=STORE, **form).get_json()["error"] == "invalid_target"


@pytest.mark.parametrize(
    "resource", ["https://evil.example/", "https://gate.example", GATE + "#x", GATE + "x", "gate", [GATE, "urn:x"]]
)
def test_what_is_not_registered_for_the_client_is_refused(
    party: Party, make: Make, client: Registered, resource: Any
) -> None:
    answer = answer_of(party.authorize(party.browser(make.account()), client, resource=resource))
    assert (answer["error"], "code" in answer) == ("invalid_target", False)


# --- authorization details


def test_details_of_registered_types_are_in_the_answer_and_in_the_token(
    party: Party, make: Make, client: Registered
) -> None:
    details = [PAY, {"type": "booking", "room": "1/305"}]
    tokens = party.tokens(make.account(), client, authorization_details=json.dumps(details))
    assert tokens["authorization_details"] == details
    assert claims_in(tokens["access_token"])["authorization_details"] == details
    again = party.refresh(client, tokens["refresh_token"]).get_json()
    assert again["authorization_details"] == claims_in(again["access_token"])["authorization_details"] == details


def test_whoever_asks_about_a_token_learns_the_details_too(party: Party, make: Make, client: Registered) -> None:
    tokens = party.tokens(make.account(), client, authorization_details=json.dumps([PAY]))
    for kind in ("access_token", "refresh_token"):
        told = party._post("/oauth/introspect", client, {}, {"token": tokens[kind]}).get_json()
        assert told["authorization_details"] == [PAY], kind


def test_they_may_take_the_place_of_scopes(party: Party, make: Make, client: Registered) -> None:
    code = party.code(make.account(), client, scope=None, authorization_details=json.dumps([PAY]))
    tokens = party.redeem(client, code).get_json()
    assert (tokens["scope"], tokens["authorization_details"]) == ("", [PAY])


@pytest.mark.parametrize(
    "details",
    [
        "no json",
        "{}",
        "[]",
        "null",
        '"payment"',
        "[7]",
        '[{"amount": 7}]',
        '[{"type": 7}]',
        '[{"type": "report"}]',
        json.dumps([PAY, {"type": "report"}]),
        json.dumps([PAY] * 21),
        "[" * 10_000,
    ],
)
def test_details_of_other_types_are_refused(party: Party, make: Make, client: Registered, details: str) -> None:
    browser = party.browser(make.account())
    answer = answer_of(party.authorize(browser, client, authorization_details=details))
    assert (answer["error"], "code" in answer) == ("invalid_authorization_details", False)
