"""Where the provider meets the sign-in pages."""

from idp.clock import SetClock
from idp.db import db
from idp.flows.remove_client import remove_client
from idp.oauth.interaction import recall
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered, answer_of


def waiting(party: Party, client: Registered, **changes: str) -> str:
    """The token of a request that waits."""
    return party.authorize(party.browser(), client, **changes).headers["Location"].split("request=")[1]


def test_a_waiting_request_is_remembered_whole(party: Party, clock: SetClock) -> None:
    token = waiting(party, party.client(), prompt="login", max_age="300", login_hint="aida", ui_locales="ru ky")
    clock.advance(minutes=59)
    with party.app.app_context():
        pending = recall(token, clock.now())
    assert pending is not None
    assert (pending.client_name, pending.redirect_uri) == ("Test system", CALLBACK)
    assert (pending.prompt, pending.request.max_age) == (frozenset({"login"}), 300)
    assert (pending.request.login_hint, pending.request.ui_locales) == ("aida", ("ru", "ky"))
    assert (pending.request.state, pending.request.scope) == ("s-1", ("openid", "profile", "email"))


def test_it_is_forgotten_after_an_hour(party: Party, clock: SetClock) -> None:
    token = waiting(party, party.client())
    clock.advance(hours=1)
    with party.app.app_context():
        assert recall(token, clock.now()) is None
        assert recall("no such token", clock.now()) is None


def test_it_does_not_outlive_its_client(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    token = waiting(party, client)
    with party.app.app_context():
        remove_client(make.here(), client.client_id)
        db.session.commit()
        assert recall(token, clock.now()) is None


def test_after_the_pages_the_dispatcher_answers_the_client_once(party: Party, make: Make) -> None:
    client = party.client()
    someone, browser = make.account(), party.browser()
    token = party.authorize(browser, client).headers["Location"].split("request=")[1]
    party.sign_in(browser, someone)
    place = {"query_string": {"request": token}, "base_url": party.base}
    answer = answer_of(browser.get("/continue", **place))
    assert (answer["state"], answer["iss"]) == ("s-1", party.base)
    assert party.redeem(client, answer["code"]).status_code == 200
    assert browser.get("/continue", **place).status_code == 400
