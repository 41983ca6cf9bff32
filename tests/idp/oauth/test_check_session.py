"""Session management: what a client's page can ask a frame of ours.  The script itself runs in tests/journeys."""

import hashlib
from http.cookies import SimpleCookie

import pytest
from flask import Flask, Response

from idp.app import create_app
from idp.clock import SetClock
from idp.oauth.check_session import browser_state, change_browser_state, session_state
from tests.builders import Make, settings_for
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, answer_of
from tests.idp.web.browser import Browser


def test_the_page_may_stand_in_any_frame_and_runs_our_script_only(party: Party) -> None:
    response = party.browser().get("/oauth/check-session", base_url=party.base)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "frame-ancestors *;" in policy
    assert "default-src 'none'; script-src 'self';" in policy
    assert "base-uri 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Frame-Options" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert 'data-cookie="achkych-state"' in response.text
    with party.browser().get("/static/check_session.js", base_url=party.base) as script:
        assert script.status_code == 200


def test_no_other_page_may_stand_in_a_frame(party: Party) -> None:
    for path in ("/sign-in", "/oauth/logout", "/signed-out"):
        policy = party.browser().get(path, base_url=party.base).headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("redirect_uri", "origin"),
    [
        ("https://RP.example/callback?x=1", "https://rp.example"),
        ("https://rp.example:443/callback", "https://rp.example"),
        ("https://rp.example:8443/callback", "https://rp.example:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_session_state_is_the_hash_the_browser_computes(redirect_uri: str, origin: str) -> None:
    said, salt = session_state("client-1", redirect_uri, "browser-1").split(".")
    assert said == hashlib.sha256(f"client-1 {origin} browser-1 {salt}".encode()).hexdigest()


def test_clients_find_it_in_the_metadata(party: Party) -> None:
    document = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    assert document["check_session_iframe"] == f"{party.base}/oauth/check-session"
    for channel in ("backchannel", "frontchannel"):
        assert document[f"{channel}_logout_supported"] is True
        assert document[f"{channel}_logout_session_supported"] is True


def test_no_two_answers_say_the_same_of_one_browser() -> None:
    assert len({session_state("c", "https://rp.example/", "b") for _ in range(10)}) == 10


def test_answers_to_sign_ins_carry_the_state_of_this_browser(party: Party, make: Make) -> None:
    browser, client = Browser(make), party.client()
    browser.sign_in(make.account())
    asked = {"client_id": client.client_id, "response_type": "code", "redirect_uri": CALLBACK, "code_challenge": CHALLENGE,
             "code_challenge_method": "S256"}  # fmt: skip
    told = answer_of(browser.get("/oauth/authorize", query_string=asked | {"scope": "openid"}))
    said, salt = told["session_state"].split(".")
    expected = f"{client.client_id} https://rp.example {browser.state_cookie()} {salt}"
    assert said == hashlib.sha256(expected.encode()).hexdigest()
    plain = answer_of(browser.get("/oauth/authorize", query_string=asked | {"scope": "email"}))
    assert "session_state" not in plain


def test_the_browsers_state_changes_when_somebody_signs_in_and_out(party: Party, make: Make) -> None:
    browser = Browser(make)
    states = [browser.state_cookie()]
    browser.sign_in(make.account())
    states.append(browser.state_cookie())
    browser.submit("/sign-out", {})
    states.append(browser.state_cookie())
    assert states[0] is None
    assert None not in states[1:]
    assert len(set(states)) == 3


def test_a_script_may_read_the_state_and_over_https_a_foreign_frame_too(database_url: str, clock: SetClock) -> None:
    app: Flask = create_app(settings_for(database_url, base_url="https://id.kstu.kg"), clock)
    with app.test_request_context(base_url="https://id.kstu.kg", headers={"Cookie": "__Host-achkych-state=now"}):
        assert browser_state() == "now"
        response = Response()
        change_browser_state(response)
    (cookie,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert cookie.key == "__Host-achkych-state"
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, "", "None")
    assert (cookie["path"], cookie["max-age"], cookie["expires"]) == ("/", "", "")
    assert len(cookie.value) >= 20
