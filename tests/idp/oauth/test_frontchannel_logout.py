"""Clients that are told of a logout by frames on the signed-out page."""

import re
from html import unescape
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from idp.flows.signing_keys import sign
from tests.builders import Make, Someone
from tests.idp.oauth.driver import AFTER, Party, Registered
from tests.idp.oauth.listening_client import go_on_to
from tests.idp.web.browser import Browser

FRAME = re.compile(r'<iframe src="([^"]+)"')


@pytest.fixture
def aida(make: Make) -> Someone:
    return make.account()


@pytest.fixture
def clients(party: Party) -> tuple[Registered, Registered, Registered]:
    """One that wants to know the session, one that does not, one that is not told in frames."""
    return (
        party.client(frontchannel_logout_uri="https://rp.example/out?of=1", frontchannel_logout_session_required=True),
        party.client(frontchannel_logout_uri="https://two.example:8443/out"),
        party.client(),
    )


def frames(page: TestResponse) -> set[str]:
    return {unescape(found) for found in FRAME.findall(page.text)}


def frame_sources(page: TestResponse) -> set[str]:
    """What the page's policy lets it show in frames."""
    found = re.findall(r"frame-src ([^;]*);", page.headers["Content-Security-Policy"])
    return {source for sources in found for source in sources.split()}


def expected(session: UUID) -> set[str]:
    issuer = "http%3A%2F%2Flocalhost"
    return {f"https://rp.example/out?of=1&iss={issuer}&sid={session}", "https://two.example:8443/out"}


def hint_for(party: Party, client: Registered, session: UUID) -> str:
    claims = {"iss": party.base, "aud": client.client_id, "sub": "x", "exp": 1, "sid": str(session)}
    with party.app.app_context():
        return sign(party.make.service, "JWT", claims)


def test_signing_out_here_tells_each_client_of_the_session_in_a_frame(
    party: Party, aida: Someone, clients: tuple[Registered, ...]
) -> None:
    browser = Browser(party.make)
    browser.sign_in(aida)
    session = go_on_to(party.app, party.make, aida, (*clients, clients[0]))
    page = browser.get(browser.submit("/sign-out", {}).headers["Location"])
    assert frames(page) == expected(session)
    assert frame_sources(page) == {"https://rp.example", "https://two.example:8443"}
    assert "Refresh" not in page.headers
    again = browser.get("/signed-out")
    assert (frames(again), frame_sources(again)) == (set(), set())


def test_a_client_that_asks_for_it_gets_the_browser_back_after_the_frames(
    party: Party, aida: Someone, clients: tuple[Registered, ...]
) -> None:
    browser = party.browser(aida)
    session = go_on_to(party.app, party.make, aida, clients)
    asked = {"id_token_hint": hint_for(party, clients[2], session), "post_logout_redirect_uri": AFTER, "state": "s"}
    page = browser.get("/oauth/logout", query_string=asked, base_url=party.base)
    assert page.status_code == 200
    assert frames(page) == expected(session)
    assert page.headers["Refresh"] == f"3; url={AFTER}?state=s"
    assert f'href="{AFTER}?state=s"' in page.text


def test_without_such_clients_the_browser_goes_back_at_once(party: Party, aida: Someone) -> None:
    client = party.client()
    browser = party.browser(aida)
    session = go_on_to(party.app, party.make, aida, (client,))
    asked = {"id_token_hint": hint_for(party, client, session), "post_logout_redirect_uri": AFTER}
    page = browser.get("/oauth/logout", query_string=asked, base_url=party.base)
    assert (page.status_code, page.headers["Location"]) == (303, AFTER)


def test_whoever_was_not_signed_in_tells_nobody(party: Party, clients: tuple[Registered, ...]) -> None:
    page = party.browser().get("/signed-out", base_url=party.base)
    assert (frames(page), frame_sources(page)) == (set(), set())
