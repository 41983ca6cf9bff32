"""Pushed authorization requests: the browser carries a name that works once, for one client, for a minute and a half."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.models import AuthorizationRequest
from idp.oauth.client_assertion import ASSERTION_TYPE
from idp.oauth.pushed_request import PREFIX
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, VERIFIER, Party, Registered, answer_of, basic, header_of
from tests.idp.oauth.proofs import Prover, jwks
from tests.idp.oauth.test_races import HANDS, at_once
from tests.idp.oauth.test_request_object import signed, signing

REQUEST = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid email",
    "state": "pushed-state",
    "nonce": "pushed-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


def push(
    party: Party, client: Registered | None, headers: dict[str, str] | None = None, **changes: Any
) -> TestResponse:
    """Push a request, by `client_secret_basic` where there is a secret; a change to None leaves a parameter out."""
    form = {name: value for name, value in (REQUEST | changes).items() if value is not None}
    if client is not None and client.secret is not None:
        headers = {"Authorization": basic(client.client_id, client.secret)} | (headers or {})
    elif client is not None:
        form = {"client_id": client.client_id} | form
    return party.app.test_client().post("/oauth/par", base_url=party.base, data=form, headers=headers)


def pushed(party: Party, client: Registered, **changes: Any) -> str:
    response = push(party, client, **changes)
    assert response.status_code == 201, response.text
    return str(response.get_json()["request_uri"])


def come(party: Party, browser: Any, client: Registered, name: str | None, **beside: Any) -> TestResponse:
    """The browser with a name and nothing else."""
    parameters = {"client_id": client.client_id, "request_uri": name} | beside
    return browser.get("/oauth/authorize", base_url=party.base, query_string=parameters)


def test_a_pushed_request_is_named_and_answered(party: Party, make: Make) -> None:
    client = party.client()
    response = push(party, client)
    body = response.get_json()
    assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
    assert body.keys() == {"request_uri", "expires_in"}
    assert body["request_uri"].startswith(PREFIX)
    assert body["expires_in"] == 90
    answer = answer_of(come(party, party.browser(make.account()), client, body["request_uri"]))
    assert answer["state"] == "pushed-state"
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid email"


def test_what_the_browser_brings_beside_the_name_does_not_count(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser(make.account())
    beside = {"scope": "openid profile", "state": "other", "redirect_uri": "https://evil.example/", "nonce": "x"}
    answer = answer_of(come(party, browser, client, pushed(party, client), **beside))
    assert answer["state"] == "pushed-state"
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid email"


def test_a_name_works_once(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser(make.account())
    name = pushed(party, client)
    assert "code" in answer_of(come(party, browser, client, name))
    again = come(party, browser, client, name)
    assert (again.status_code, "Location" in again.headers) == (400, False)


def test_of_many_browsers_with_one_name_one_is_served(party: Party, make: Make) -> None:
    client, someone = party.client(), make.account()
    name, browsers = pushed(party, client), [party.browser(someone) for _ in range(HANDS)]
    answers = at_once(lambda: come(party, browsers.pop(), client, name))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (HANDS - 1)


def test_a_name_is_its_clients_own_and_another_does_not_spend_it(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    browser, name = party.browser(make.account()), pushed(party, client)
    assert come(party, browser, other, name).status_code == 400
    assert "code" in answer_of(come(party, browser, client, name))


def test_a_name_lives_for_ninety_seconds(party: Party, make: Make, clock: SetClock) -> None:
    client, browser = party.client(), party.browser(make.account())
    in_time, late = pushed(party, client), pushed(party, client)
    clock.advance(seconds=89)
    assert "code" in answer_of(come(party, browser, client, in_time))
    clock.advance(seconds=1)
    assert come(party, browser, client, late).status_code == 400


@pytest.mark.parametrize("name", [PREFIX, PREFIX + "made-up", PREFIX + "x" * 3_000, PREFIX + "ат"])
def test_made_up_names_end_on_a_page(party: Party, make: Make, name: str) -> None:
    response = come(party, party.browser(make.account()), party.client(), name)
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_a_name_that_came_twice_is_none(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser(make.account())
    name = pushed(party, client)
    twice = answer_of(come(party, browser, client, None, request_uri=[name, name]))
    assert (twice["error"], "code" in twice) == ("invalid_request", False)
    assert "code" in answer_of(come(party, browser, client, name))


def test_the_name_of_a_waiting_request_is_no_name_of_a_pushed_one(party: Party, make: Make) -> None:
    client = party.client()
    token = party.authorize(party.browser(), client).headers["Location"].split("request=")[1]
    assert come(party, party.browser(make.account()), client, PREFIX + token).status_code == 400
    name = pushed(party, client).removeprefix(PREFIX)
    place = {"query_string": {"request": name}, "base_url": party.base}
    assert party.browser(make.account("kanat")).get("/continue", **place).status_code == 400


def test_the_person_may_sign_in_meanwhile(party: Party, make: Make, clock: SetClock) -> None:
    client, browser = party.client(), party.browser()
    token = come(party, browser, client, pushed(party, client)).headers["Location"].split("request=")[1]
    clock.advance(minutes=10)
    party.sign_in(browser, make.account())
    answer = answer_of(browser.get("/continue", query_string={"request": token}, base_url=party.base))
    assert (answer["state"], "code" in answer) == ("pushed-state", True)


# --- what is refused at once, as JSON


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no response_type": ({"response_type": None}, "invalid_request"),
    "a token": ({"response_type": "token"}, "unsupported_response_type"),
    "no redirect_uri": ({"redirect_uri": None}, "invalid_request"),
    "an unregistered redirect_uri": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "a plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "an unknown prompt": ({"prompt": "dance"}, "invalid_request"),
    "another client": ({"client_id": "somebody"}, "invalid_request"),
    "a name": ({"request_uri": PREFIX + "x"}, "invalid_request"),
    "an address": ({"request_uri": "https://rp.example/r"}, "invalid_request"),
    "an unsigned object": ({"request": "e30.e30."}, "invalid_request_object"),
    "two scopes": ({"scope": ["openid", "email"]}, "invalid_request"),
    "a resource of others": ({"resource": "https://other.example"}, "invalid_target"),
    "claims that are none": ({"claims": "[]"}, "invalid_request"),
    "a strange mode": ({"response_mode": "pigeon"}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "error"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_to_the_client_as_json(party: Party, changes: dict[str, Any], error: str) -> None:
    response = push(party, party.client(), **changes)
    assert (response.status_code, response.mimetype) == (400, "application/json")
    assert response.get_json()["error"] == error
    assert "request_uri" not in response.get_json()
    assert response.headers["Cache-Control"] == "no-store"


def test_only_the_client_itself_pushes(party: Party) -> None:
    client = party.client()
    wrong = push(party, None, {"Authorization": basic(client.client_id, "wrong")})
    nobody = push(party, None, client_id=client.client_id)
    assert [(answer.status_code, answer.get_json()["error"]) for answer in (wrong, nobody)] == [
        (401, "invalid_client")
    ] * 2


def test_parameters_in_the_address_are_not_read(party: Party) -> None:
    client = party.client()
    assert client.secret is not None
    response = party.app.test_client().post(
        "/oauth/par", base_url=party.base, query_string=REQUEST,
        headers={"Authorization": basic(client.client_id, client.secret)},
    )  # fmt: skip
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    assert party.app.test_client().get("/oauth/par", base_url=party.base).status_code == 405


def test_a_public_client_pushes_by_its_name(party: Party, make: Make) -> None:
    client = party.client(public=True)
    assert "code" in answer_of(come(party, party.browser(make.account()), client, pushed(party, client)))


def test_how_the_client_proved_itself_is_not_kept(party: Party, prover: Prover) -> None:
    by_post = party.client(token_endpoint_auth_method="client_secret_post")
    assert by_post.secret is not None
    form = {"client_id": by_post.client_id, "client_secret": by_post.secret}
    assert push(party, None, **form).status_code == 201
    by_key = party.client(token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key))
    assertion = prover.assertion(by_key)
    assert push(party, None, client_assertion_type=ASSERTION_TYPE, client_assertion=assertion).status_code == 201
    with party.app.app_context():
        kept = json.dumps(list(db.session.scalars(sa.select(AuthorizationRequest.parameters))))
    assert by_post.secret not in kept
    assert assertion not in kept
    assert "pushed-state" in kept


# --- signed, bound, required


def test_a_signed_request_may_be_pushed(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover, require_signed_request_object=True)
    assert push(party, client).get_json()["error"] == "invalid_request"
    name = pushed(party, client, request=signed(prover, client))
    assert answer_of(come(party, party.browser(make.account()), client, name))["state"] == "signed-state"
    theirs = signed(prover, party.client())
    assert push(party, client, request=theirs).get_json()["error"] == "invalid_request_object"


def test_a_client_that_must_push_is_not_answered_for_less(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover, require_pushed_authorization_requests=True)
    browser = party.browser(make.account())
    assert answer_of(party.authorize(browser, client))["error"] == "invalid_request"
    assert answer_of(party.authorize(browser, client, request=signed(prover, client)))["error"] == "invalid_request"
    assert "code" in answer_of(come(party, browser, client, pushed(party, client)))


def test_a_proof_binds_the_code_to_its_key(party: Party, make: Make, prover: Prover) -> None:
    client, someone = party.client(), make.account()
    response = push(party, client, {"DPoP": prover.proof("/oauth/par")})
    answer = answer_of(come(party, party.browser(someone), client, response.get_json()["request_uri"]))
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK}
    form |= {"code_verifier": VERIFIER}
    stranger = Prover(party)
    refused = party.token(client, {"DPoP": stranger.proof()}, **form)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    other = push(party, client, {"DPoP": prover.proof("/oauth/par")}, dpop_jkt=stranger.jkt)
    assert (other.status_code, other.get_json()["error"]) == (400, "invalid_dpop_proof")


def test_a_client_of_the_strict_profile_pushes_proves_itself_by_a_key_and_gets_bound_tokens(
    party: Party, make: Make, prover: Prover
) -> None:
    client = party.client(
        token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key), security_profile="fapi2-security"
    )
    browser = party.browser(make.account())
    assert answer_of(party.authorize(browser, client))["error"] == "invalid_request"
    response = push(party, None, **prover.asserts(client))
    assert response.status_code == 201, response.text
    answer = answer_of(come(party, browser, client, response.get_json()["request_uri"]))
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK}
    form |= {"code_verifier": VERIFIER}
    assert party.token(None, **form, **prover.asserts(client)).status_code == 400
    nonce = party.token(None, {"DPoP": prover.proof()}, **form, **prover.asserts(client)).headers["DPoP-Nonce"]
    proof = {"DPoP": prover.proof(nonce=nonce)}
    tokens = party.token(None, proof, **form, **prover.asserts(client)).get_json()
    assert tokens.get("token_type") == "DPoP", tokens
    assert header_of(tokens["access_token"])["typ"] == "at+jwt"


def test_a_client_that_must_sign_its_messages_pushes_them_signed(party: Party, make: Make, prover: Prover) -> None:
    client = party.client(
        token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key), security_profile="fapi2-message-signing"
    )
    bare = push(party, None, **prover.asserts(client))
    assert (bare.status_code, bare.get_json()["error"]) == (400, "invalid_request")
    alone = dict.fromkeys(REQUEST) | {"request": signed(prover, client)} | prover.asserts(client)
    response = push(party, None, **alone)
    assert response.status_code == 201, response.text
    name = response.get_json()["request_uri"]
    assert "code" in answer_of(come(party, party.browser(make.account()), client, name))
