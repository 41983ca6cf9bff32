"""Pushed authorization requests (RFC 9126): what may be pushed, by whom, and that a name is answered once."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.models import AuthorizationCode, AuthorizationRequest
from idp.provisioning.periodic import do_periodic
from idp.provisioning.workshop import Workshop
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, answer_of, basic, claims_in
from tests.idp.oauth.proofs import Prover, jwks, sign
from tests.idp.oauth.test_races import HANDS, at_once
from tests.idp.web.browser import TOKEN

PREFIX = "urn:ietf:params:oauth:request_uri:"
REQUEST = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid email",
    "state": "pushed",
    "nonce": "n-7",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def push(party: Party, client: Registered | None, **changes: Any) -> TestResponse:
    """A request to the endpoint; a change to None leaves a parameter out."""
    form = {name: value for name, value in (REQUEST | changes).items() if value is not None}
    return party._post("/oauth/par", client, {}, form)


def pushed(party: Party, client: Registered, **changes: Any) -> str:
    """The name of a request that was taken."""
    answer = push(party, client, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["request_uri"])


def come(party: Party, browser: FlaskClient, client: Registered, name: str, **more: Any) -> TestResponse:
    """The browser comes with the name alone."""
    asked = {"client_id": client.client_id, "request_uri": name} | more
    return browser.get("/oauth/authorize", base_url=party.base, query_string=asked)


def test_what_was_pushed_gets_a_name_nobody_guesses_and_that_does_not_last(party: Party) -> None:
    answer = push(party, party.client())
    told = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (201, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert told.keys() == {"request_uri", "expires_in"}
    assert told["request_uri"].startswith(PREFIX)
    assert len(told["request_uri"]) - len(PREFIX) >= 43
    assert told["expires_in"] == 90
    with party.app.app_context():
        kept = repr(vars(db.session.scalars(select(AuthorizationRequest)).one()))
    assert told["request_uri"].removeprefix(PREFIX) not in kept


def test_the_name_stands_for_the_whole_request(party: Party, make: Make) -> None:
    client, someone = party.client(), make.account()
    answer = answer_of(come(party, party.browser(someone), client, pushed(party, client)))
    assert (answer["state"], answer["iss"]) == ("pushed", party.base)
    tokens = party.redeem(client, answer["code"]).get_json()
    assert (tokens["scope"], claims_in(tokens["id_token"])["nonce"]) == ("openid email", "n-7")


def test_what_the_browser_adds_is_not_looked_at(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser(make.account())
    added = {"redirect_uri": "https://evil.example/", "scope": "openid profile", "state": "other", "nonce": "other",
             "response_type": "id_token", "response_mode": "fragment", "code_challenge": "A" * 43}  # fmt: skip
    response = come(party, browser, client, pushed(party, client), **added)
    assert urlsplit(response.headers["Location"]).fragment == ""
    answer = answer_of(response)
    assert answer["state"] == "pushed"
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid email"


def test_a_name_is_answered_once_for_its_own_client_and_within_ninety_seconds(
    party: Party, make: Make, clock: SetClock
) -> None:
    client, other, browser = party.client(), party.client(), party.browser(make.account())
    name = pushed(party, client)
    assert refused(come(party, browser, other, name))
    assert "code" in answer_of(come(party, browser, client, name))
    assert refused(come(party, browser, client, name))
    in_time, late, waiting = pushed(party, client), pushed(party, client), pushed(party, client)
    assert come(party, party.browser(), client, waiting).status_code == 303
    clock.advance(seconds=89)
    assert "code" in answer_of(come(party, browser, client, in_time))
    clock.advance(seconds=1)
    assert refused(come(party, browser, client, late))
    assert refused(come(party, browser, client, waiting)), "whoever waits already may go on, nobody else may begin"
    for made_up in (PREFIX, PREFIX + "x", PREFIX + "A" * 43, PREFIX + "ноль"):
        assert refused(come(party, browser, client, made_up))


def refused(response: TestResponse) -> bool:
    """On a page: where to answer is unknown."""
    return (response.status_code, "Location" in response.headers) == (400, False)


def test_a_name_that_came_twice_is_none_and_stays_good(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser(make.account())
    name = pushed(party, client)
    asked = {"client_id": client.client_id, "request_uri": [name, name], "redirect_uri": CALLBACK}
    twice = answer_of(browser.get("/oauth/authorize", base_url=party.base, query_string=asked))
    assert (twice["error"], "code" in twice) == ("invalid_request", False)
    assert "code" in answer_of(come(party, browser, client, name))


def test_what_waits_for_its_person_and_what_was_pushed_are_not_taken_for_each_other(party: Party, make: Make) -> None:
    client, someone = party.client(), make.account()
    token = party.authorize(party.browser(), client).headers["Location"].split("request=")[1]
    assert refused(come(party, party.browser(someone), client, PREFIX + token))
    place = {"query_string": {"request": pushed(party, client).removeprefix(PREFIX)}, "base_url": party.base}
    assert party.browser(someone).get("/continue", **place).status_code == 400


def test_of_twenty_browsers_with_one_name_one_gets_a_code(party: Party, make: Make) -> None:
    client, someone = party.client(), make.account()
    browsers = [party.browser(someone) for _ in range(HANDS)]
    name = pushed(party, client)

    def visit() -> TestResponse:
        """A browser that comes too late by a moment is sent on to the page that says so."""
        browser = browsers.pop()
        answer = come(party, browser, client, name)
        onward = answer.headers.get("Location", "")
        return browser.get(onward, base_url=party.base) if onward.startswith("/continue") else answer

    answers = at_once(visit)
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (HANDS - 1)


def waiting_at(party: Party, browser: FlaskClient, client: Registered, name: str) -> str:
    """Where a request of a browser that visits the name goes on after each page."""
    answer = come(party, browser, client, name)
    assert answer.status_code == 303, answer.text
    page, _, token = answer.headers["Location"].partition("?")
    assert page in ("/sign-in", "/continue")
    return f"/continue?{token}"


def test_a_name_may_be_visited_again_until_the_client_has_its_answer(party: Party, make: Make) -> None:
    """A reload, or a second tab, before the person has signed in."""
    client, browser, someone = party.client(), party.browser(), make.account()
    name = pushed(party, client)
    first, second = waiting_at(party, browser, client, name), waiting_at(party, browser, client, name)
    assert first != second
    party.sign_in(browser, someone)
    assert answer_of(browser.get(second, base_url=party.base))["state"] == "pushed"
    for place in (first, second):
        assert browser.get(place, base_url=party.base).status_code == 400
    assert refused(come(party, browser, client, name))
    with party.app.app_context():
        left = db.session.scalars(select(AuthorizationRequest)).all()
        assert [row.parameters.keys() for row in left] == [{"authorization", "pushed_under"}], "only the other tab's"


def test_a_refusal_is_an_answer_too(party: Party, make: Make) -> None:
    client, browser = party.client(), party.browser()
    silent = pushed(party, client, prompt="none")
    assert answer_of(come(party, browser, client, silent))["error"] == "login_required"
    assert refused(come(party, browser, client, silent))
    other, someone = party.client(first_party=False), make.account()
    asked = party.browser(someone)
    name = pushed(party, other)
    first, second = waiting_at(party, asked, other, name), waiting_at(party, asked, other, name)
    assert deny(asked, party, first)["error"] == "access_denied"
    assert asked.get(second.replace("/continue", "/consent"), base_url=party.base).status_code == 200
    assert decide(asked, party, second, "allow").status_code == 303
    assert asked.get(second, base_url=party.base).status_code == 400
    assert refused(come(party, asked, other, name))


def decide(browser: FlaskClient, party: Party, waiting: str, decision: str) -> TestResponse:
    """The person answers the page that asks for consent."""
    page = browser.get(waiting.replace("/continue", "/consent"), base_url=party.base)
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    form = {"csrf_token": found.group(1), "request": waiting.split("request=")[1], "consent": decision}
    return browser.post("/consent", base_url=party.base, data=form)


def deny(browser: FlaskClient, party: Party, waiting: str) -> dict[str, str]:
    return answer_of(decide(browser, party, waiting, "deny"))


def test_of_a_hundred_tabs_that_finish_at_once_one_gets_the_code(party: Party, make: Make) -> None:
    client, someone = party.client(), make.account()
    name = pushed(party, client)
    tabs = []
    for browser in [party.browser() for _ in range(HANDS)]:
        tabs.append((browser, waiting_at(party, browser, client, name)))
        party.sign_in(browser, someone)

    def finish() -> TestResponse:
        browser, place = tabs.pop()
        return browser.get(place, base_url=party.base)

    answers = at_once(finish)
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (HANDS - 1)
    with party.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AuthorizationCode)) == 1


def test_who_began_in_time_may_take_an_hour(party: Party, make: Make, clock: SetClock) -> None:
    """The pushed request outlasts those that wait under it, whatever the worker clears away."""
    client, browser, someone = party.client(), party.browser(), make.account()
    name = pushed(party, client)
    clock.advance(seconds=89)
    waiting = waiting_at(party, browser, client, name)
    clock.advance(minutes=59)
    do_periodic(Workshop(party.app, make.service, {}))
    party.sign_in(browser, someone)
    assert answer_of(browser.get(waiting, base_url=party.base))["state"] == "pushed"


# --- by whom


def test_the_client_proves_itself_as_at_the_token_endpoint(party: Party) -> None:
    client = party.client()
    wrong = push(party, Registered(client.client_id, "wrong"))
    assert (wrong.status_code, wrong.get_json()["error"]) == (401, "invalid_client")
    assert push(party, None, client_id=client.client_id).status_code == 401
    assert push(party, None).status_code == 401
    assert push(party, party.client(public=True)).status_code == 201
    prover = Prover(party)
    signing = party.client(token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key))
    for audience in (party.base, party.base + "/oauth/token", party.base + "/oauth/par"):  # RFC 9126, 2
        assertion = prover.assertion(signing, aud=audience)
        assert push(party, None, **prover.asserts(signing, assertion)).status_code == 201, audience
    assert push(party, None, **prover.asserts(signing, assertion)).status_code == 401, "once"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_a_post_pushes(party: Party, method: str) -> None:
    assert party.browser().open("/oauth/par", method=method, base_url=party.base).status_code == 405


def test_nothing_is_read_from_the_address(party: Party) -> None:
    client = party.client()
    headers = {"Authorization": basic(client.client_id, client.secret or "")}
    answer = party.app.test_client().post("/oauth/par", base_url=party.base, query_string=REQUEST, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_client_that_must_push_gets_nothing_by_asking_directly(party: Party, make: Make) -> None:
    prover = Prover(party)
    client = party.client(require_pushed_authorization_requests=True, jwks=jwks(prover.key))
    browser = party.browser(make.account())
    claims = REQUEST | {"iss": client.client_id, "aud": party.base}
    for more in ({}, {"request": sign(claims, prover.key, alg="ES256")}, {"request_uri": "https://rp.example/r"}):
        answer = answer_of(party.authorize(browser, client, **more))
        assert (answer["error"], "code" in answer) == ("invalid_request", False), more
    assert "code" in answer_of(come(party, browser, client, pushed(party, client)))


# --- what

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a name of another request": ({"request_uri": PREFIX + "x"}, "invalid_request"),
    "an address of a request": ({"request_uri": "https://rp.example/r"}, "invalid_request"),
    "an address that is not registered": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "no address": ({"redirect_uri": None}, "invalid_request"),
    "no response type": ({"response_type": None}, "invalid_request"),
    "a token": ({"response_type": "token"}, "unsupported_response_type"),
    "an ID token": ({"response_type": "code id_token"}, "unauthorized_client"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "a plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a scope it may not have": ({"scope": "payroll"}, "invalid_scope"),
    "a resource it may not have": ({"resource": "https://evil.example/"}, "invalid_target"),
    "details of an unknown type": ({"authorization_details": '[{"type":"x"}]'}, "invalid_authorization_details"),
    "an object that is none": ({"request": "x"}, "invalid_request_object"),
    "two states": ({"state": ["a", "b"]}, "invalid_request"),
    "a NUL": ({"state": "a\0b"}, "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "error"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_at_once_and_nothing_is_kept(party: Party, changes: dict[str, Any], error: str) -> None:
    answer = push(party, party.client(), **changes)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert "Location" not in answer.headers
    with party.app.app_context():
        assert db.session.scalars(select(AuthorizationRequest)).all() == []


def test_nobody_pushes_in_the_name_of_another(party: Party) -> None:
    client, other = party.client(), party.client()
    assert push(party, client, client_id=other.client_id).get_json()["error"] == "invalid_request"
    assert push(party, client, client_id=client.client_id).status_code == 201


def test_a_proof_and_a_thumbprint_are_of_one_key(party: Party, make: Make) -> None:
    """RFC 9449, 10.1."""
    client, prover, stranger = party.client(), Prover(party), Prover(party)
    form = REQUEST | {"dpop_jkt": stranger.jkt}
    answer = party._post("/oauth/par", client, {"DPoP": prover.proof("/oauth/par")}, form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_dpop_proof")
    bound = party._post("/oauth/par", client, {"DPoP": prover.proof("/oauth/par")}, form | {"dpop_jkt": prover.jkt})
    code = answer_of(come(party, party.browser(make.account()), client, bound.get_json()["request_uri"]))["code"]
    stolen = party.redeem(client, code, headers={"DPoP": stranger.proof()})
    assert (stolen.status_code, stolen.get_json()["error"]) == (400, "invalid_grant")


def test_how_the_client_proved_itself_is_not_kept_with_its_request(party: Party) -> None:
    client, prover = party.client(), Prover(party)
    assert client.secret is not None
    assert push(party, None, client_id=client.client_id, client_secret=client.secret).status_code == 201
    signing = party.client(token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key))
    assertion = prover.assertion(signing)
    assert push(party, None, **prover.asserts(signing, assertion)).status_code == 201
    with party.app.app_context():
        kept = str([row.parameters for row in db.session.scalars(select(AuthorizationRequest))])
    assert client.secret not in kept
    assert assertion not in kept
    assert kept.count("n-7") == 2


def test_clients_find_the_endpoint_in_the_metadata(party: Party) -> None:
    document = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    assert document["pushed_authorization_request_endpoint"] == f"{party.base}/oauth/par"
    assert document["require_pushed_authorization_requests"] is False
