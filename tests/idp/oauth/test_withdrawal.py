"""Consent to resources, and consent that is taken back at the very moment it is used."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from idp.clock import SetClock
from idp.db import db
from idp.flows.withdraw_consent import withdraw_consent
from idp.models import Account, Client, Consent, Grant, Session
from idp.oauth.new_grant import store_grant
from tests.builders import Make, Someone
from tests.idp.oauth.driver import Party, Registered, answer_of
from tests.idp.oauth.pages import Visit

GATE, STORE = "https://gate.example/orders?a=1&b=2", "https://store.example/"
A_MOMENT = 0.3  # seconds; ten times what an authorization request takes


@pytest.fixture
def stranger(party: Party) -> Registered:
    return party.client(first_party=False, resources=[GATE, STORE])


@pytest.fixture
def agreed(party: Party, make: Make, clock: SetClock, stranger: Registered) -> Someone:
    """Somebody who agreed to what the client asks for by default."""
    someone = make.account()
    clock.advance(seconds=1)
    Visit(party, party.browser(someone), stranger).press("/consent", consent="allow")
    return someone


def withdraw(party: Party, someone: Someone, client: Registered, begun: Barrier | None = None) -> None:
    with party.app.app_context():
        account = db.session.get_one(Account, someone.id)
        db.session.commit()
        if begun:
            begun.wait()
        assert withdraw_consent(party.make.here(), account, client.client_id)
        db.session.commit()
        db.session.remove()


def open_grants(party: Party) -> int:
    with party.app.app_context():
        found = len(db.session.scalars(select(Grant).where(Grant.revoked_at.is_(None))).all())
        db.session.remove()
    return found


def test_the_page_shows_the_resources_and_each_is_asked_for_once(
    party: Party, make: Make, clock: SetClock, stranger: Registered
) -> None:
    browser = party.browser(make.account())
    clock.advance(seconds=1)
    page = Visit(party, browser, stranger, scope="openid", resource=GATE)
    assert 'Act for you at <span class="mono">https://gate.example/orders?a=1&amp;b=2</span>' in page.main
    assert "It learns only" not in page.main
    page.press("/consent", consent="allow")
    assert "code" in answer_of(page.answer)
    silent = {"scope": "openid", "prompt": "none"}
    assert "code" in answer_of(party.authorize(browser, stranger, resource=GATE, **silent))
    more = answer_of(party.authorize(browser, stranger, resource=[GATE, STORE], **silent))
    assert more["error"] == "consent_required"
    Visit(party, browser, stranger, scope="openid", resource=STORE).press("/consent", consent="allow")
    assert "code" in answer_of(party.authorize(browser, stranger, resource=[GATE, STORE], **silent))
    page.open("/account")
    assert "Act for you at" in page.main
    page.press(f"/account/consents/{stranger.client_id}/withdraw")
    Visit(party, browser, stranger, scope="openid").press("/consent", consent="allow")
    again = answer_of(party.authorize(browser, stranger, resource=GATE, **silent))
    assert again["error"] == "consent_required", "agreeing again begins from nothing"


def test_a_sign_in_that_meets_a_withdrawal_under_way_gets_nothing(
    party: Party, stranger: Registered, agreed: Someone
) -> None:
    browser = party.browser(agreed)
    with ThreadPoolExecutor(1) as pool:
        with party.app.app_context():
            assert withdraw_consent(party.make.here(), db.session.get_one(Account, agreed.id), stranger.client_id)
            answer = pool.submit(party.authorize, browser, stranger)
            sleep(A_MOMENT)
            assert not answer.done(), "it waits for the withdrawal"
            db.session.commit()
            db.session.remove()
        assert answer.result().headers["Location"].startswith("/continue")
    assert open_grants(party) == 0


def test_a_withdrawal_that_meets_a_sign_in_under_way_revokes_what_it_gets(
    party: Party, stranger: Registered, agreed: Someone
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with party.app.app_context():
            client = db.session.scalars(select(Client.id).where(Client.client_id == stranger.client_id)).one()
            session = db.session.scalars(select(Session.id).where(Session.account_id == agreed.id)).one()
            db.session.remove()
            with db.engine.begin() as connection:
                grant = {"id": uuid7(), "account_id": agreed.id, "client_id": client, "session_id": session,
                         "scope": "openid", "granted_at": party.make.clock.now()}  # fmt: skip
                assert store_grant(connection, grant, by_consent=True)
                withdrawn = pool.submit(withdraw, party, agreed, stranger)
                sleep(A_MOMENT)
                assert not withdrawn.done(), "it waits for the sign-in"
        withdrawn.result()
    assert open_grants(party) == 0


def test_of_sign_ins_and_a_withdrawal_at_once_no_grant_stays_open(
    party: Party, stranger: Registered, agreed: Someone
) -> None:
    browsers, begun = [party.browser(agreed) for _ in range(5)], Barrier(6)

    def sign_in(number: int) -> int:
        begun.wait()
        return party.authorize(browsers[number], stranger).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(sign_in, number) for number in range(5)]
        withdraw(party, agreed, stranger, begun)
        assert {answer.result() for answer in answers} == {303}
    assert open_grants(party) == 0
    with party.app.app_context():
        assert db.session.scalars(select(Consent)).one().withdrawn_at is not None
        db.session.remove()


@pytest.mark.parametrize("name", ["%00", "%0a", "x" * 129])
def test_what_can_be_no_clients_name_is_not_there(party: Party, agreed: Someone, name: str) -> None:
    page = Visit(party, party.browser(agreed), party.client())
    page.open("/account")
    token = page.main.split('name="csrf_token" value="')[1].split('"')[0]
    answer = page._browser.post(f"/account/consents/{name}/withdraw", base_url=party.base, data={"csrf_token": token})
    assert answer.status_code == 404
