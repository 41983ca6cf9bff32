"""Sign-out at a client's wish: at once with proof, else after asking; and only ever to a registered address."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.signing_keys import sign
from idp.models import AuditRecord, Session
from idp.oauth.logout import after_sign_out
from tests.builders import Make
from tests.idp.oauth.driver import AFTER, Party, Registered, answer_of, claims_in


def signed_in(party: Party, make: Make, client: Registered) -> tuple[FlaskClient, dict[str, Any]]:
    """A browser with a session, and what the client got through it."""
    browser = party.browser(make.account())
    tokens = party.redeem(client, answer_of(party.authorize(browser, client))["code"]).get_json()
    return browser, tokens


def log_out(party: Party, browser: FlaskClient, method: str = "GET", **parameters: str) -> TestResponse:
    place: dict[str, Any] = {"query_string": parameters} if method == "GET" else {"data": parameters}
    return browser.open("/oauth/logout", method=method, base_url=party.base, **place)


def open_sessions(party: Party) -> int:
    with party.app.app_context():
        return len(db.session.scalars(select(Session).where(Session.ended_at.is_(None))).all())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_the_sessions_own_id_token_it_ends_at_once(party: Party, make: Make, clock: SetClock, method: str) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    clock.advance(minutes=30)  # long after the ID token ran out
    response = log_out(
        party, browser, method, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER, state="bye"
    )
    assert (response.status_code, response.headers["Location"]) == (303, f"{AFTER}?state=bye")
    assert open_sessions(party) == 0
    assert party.refresh(client, tokens["refresh_token"]).status_code == 400
    with party.app.app_context():
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "signed-out")).one()
        assert row.after == {"open": False, "client": client.client_id}


def test_without_proof_the_person_is_asked_and_stays_signed_in(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    browser, tokens = signed_in(party, make, client)
    _, foreign = signed_in_again(party, make, other)
    attempts = [
        {},
        {"client_id": client.client_id, "post_logout_redirect_uri": AFTER},
        {"id_token_hint": "x.y.z", "client_id": client.client_id},
        {"id_token_hint": tokens["access_token"]},
        {"id_token_hint": tokens["id_token"][:-6] + "AAAAAA"},
        {"id_token_hint": tokens["id_token"], "client_id": other.client_id},
        {"id_token_hint": foreign["id_token"]},
    ]
    for parameters in attempts:
        response = log_out(party, browser, **parameters)
        assert response.status_code == 200
        assert 'action="/sign-out"' in response.text
    assert open_sessions(party) == 2


def signed_in_again(party: Party, make: Make, client: Registered) -> tuple[FlaskClient, dict[str, Any]]:
    browser = party.browser(make.account("kanat"))
    return browser, party.redeem(client, answer_of(party.authorize(browser, client))["code"]).get_json()


def test_the_page_that_asks_remembers_where_to_go(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    browser, _ = signed_in(party, make, client)
    page = log_out(party, browser, client_id=client.client_id, post_logout_redirect_uri=AFTER, state="bye").text
    token = page.split('name="request" value="')[1].split('"')[0]
    with party.app.app_context():
        assert after_sign_out(token, clock.now()) == f"{AFTER}?state=bye"
        assert after_sign_out("another", clock.now()) is None
    response = browser.get("/continue", query_string={"request": token}, base_url=party.base)
    assert response.status_code == 400, "it is no authorization request"


@pytest.mark.parametrize(
    "uri", ["https://evil.example/", AFTER + "/", AFTER + "?x=1", "//evil.example", "javascript:alert(1)"]
)
def test_an_address_that_is_not_registered_is_told_and_gone_to_by_nobody(party: Party, make: Make, uri: str) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    refused(log_out(party, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri))
    refused(log_out(party, browser, client_id=client.client_id, post_logout_redirect_uri=uri))
    assert open_sessions(party) == 1


def refused(response: TestResponse) -> None:
    """A page for the person, and no way on."""
    assert response.status_code == 400
    assert "<h1>" in response.text
    assert not {"Location", "Refresh"} & set(response.headers.keys())


def test_an_address_without_proof_whose_it_is_is_refused(party: Party, make: Make) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    unsigned = "eyJhbGciOiJub25lIn0." + tokens["id_token"].split(".")[1] + "."
    for hint in (None, "bad", tokens["id_token"][:-6] + "AAAAAA", unsigned):
        proof = {} if hint is None else {"id_token_hint": hint}
        refused(log_out(party, browser, post_logout_redirect_uri=AFTER, state="s", **proof))
    assert open_sessions(party) == 1


def test_what_comes_twice_is_refused(party: Party, make: Make) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    for name in ("post_logout_redirect_uri", "id_token_hint", "client_id", "state"):
        query = f"id_token_hint={tokens['id_token']}&post_logout_redirect_uri={AFTER}&{name}=1&{name}=2"
        refused(browser.get(f"/oauth/logout?{query}", base_url=party.base))


def test_without_an_address_the_person_ends_at_our_page(party: Party, make: Make) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    response = log_out(party, browser, id_token_hint=tokens["id_token"], state="of no use")
    assert response.status_code == 200
    assert "Refresh" not in response.headers
    assert open_sessions(party) == 0


def test_the_person_is_asked_in_the_language_the_client_names(party: Party, make: Make) -> None:
    response = log_out(party, party.browser(make.account()), ui_locales="xx ru", logout_hint="aida")
    assert "<h1>Выйти" in response.text


def test_an_id_token_for_several_proves_it_for_each(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    browser, tokens = signed_in(party, make, client)
    claims = claims_in(tokens["id_token"]) | {"aud": [client.client_id, other.client_id]}
    with party.app.app_context():
        hint = sign(make.service, "JWT", claims)
    asked = {"id_token_hint": hint, "client_id": other.client_id, "post_logout_redirect_uri": AFTER}
    assert log_out(party, browser, **asked).headers["Location"] == AFTER
    assert open_sessions(party) == 0


def test_whoever_is_signed_out_already_is_simply_sent_on(party: Party, make: Make) -> None:
    client = party.client()
    response = log_out(party, party.browser(), client_id=client.client_id, post_logout_redirect_uri=AFTER)
    assert response.headers["Location"] == AFTER
    assert log_out(party, party.browser()).status_code == 200
    browser, tokens = signed_in(party, make, client)
    for _ in range(2):
        response = log_out(party, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER)
        assert response.headers["Location"] == AFTER


def test_a_form_on_a_clients_page_which_brings_no_cookie_ends_the_session_all_the_same(
    party: Party, make: Make
) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    form = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "bye"}
    without_cookies = party.browser()  # SameSite=Lax: none come with a foreign form
    response = log_out(party, without_cookies, "POST", **form)
    assert response.status_code == 303
    assert tokens["id_token"] not in response.headers["Location"]
    response = browser.get(response.headers["Location"], base_url=party.base)
    assert response.headers["Location"] == f"{AFTER}?state=bye"
    assert open_sessions(party) == 0
    response = log_out(party, party.browser(), "POST")
    assert response.headers["Location"] == "/oauth/logout"


def test_a_session_past_its_limits_is_ended_when_its_browser_signs_out(
    party: Party, make: Make, clock: SetClock
) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    clock.advance(hours=2)
    assert 'action="/sign-out"' in log_out(party, browser).text
    assert open_sessions(party) == 1
    response = log_out(party, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER)
    assert response.headers["Location"] == AFTER
    assert open_sessions(party) == 0


def test_the_browser_keeps_nothing_but_its_language(party: Party, make: Make) -> None:
    client = party.client()
    browser, tokens = signed_in(party, make, client)
    browser.get("/account?lang=ru", base_url=party.base)
    with browser.session_transaction(base_url=party.base) as kept:
        kept["after"] = "/device"
        assert {"language", "csrf_token"} <= kept.keys()
    before = browser.get_cookie("achkych-state")
    assert browser.get_cookie("achkych-session") is not None
    log_out(party, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER)
    assert browser.get_cookie("achkych-session") is None
    assert browser.get_cookie("achkych-state") != before, "the clients' frames notice"
    with browser.session_transaction(base_url=party.base) as kept:
        assert dict(kept) == {"language": "ru"}
