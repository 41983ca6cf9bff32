"""A person's own sessions on their page (5.4): seen, ended one by one and all at once; nobody else's."""

import re
from dataclasses import replace
from ipaddress import ip_network
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.models import AuditRecord, Client, Grant, Session
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser

END = re.compile(r'action="/account/sessions/([0-9a-f-]{36})/end"')
PHONE = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


def signed_in(make: Make, someone: Someone, agent: str = "") -> Browser:
    browser = Browser(make)
    browser._headers |= {"User-Agent": agent} if agent else {}
    assert browser.sign_in(someone).status_code == 303
    return browser


def inside(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


@pytest.fixture
def two(make: Make) -> tuple[Browser, Browser]:
    someone = make.account()
    return signed_in(make, someone), signed_in(make, someone, PHONE)


def test_each_browser_is_there_with_its_device_address_and_moments_and_this_one_is_marked(
    two: tuple[Browser, Browser],
) -> None:
    page = two[0].get("/account/sessions").text
    assert "Chrome, Android" in page
    assert "Unknown device" in page, "the first one calls itself nothing we know"
    assert page.count("127.0.0.1") >= 2
    assert page.count("This device") == 1
    assert page.index("This device") < page.index("Chrome, Android"), "this one stands first"
    assert len(END.findall(page)) == 1, "this one is left by signing out"


def test_a_session_names_the_systems_signed_in_to_through_it(make: Make, two: tuple[Browser, Browser]) -> None:
    with make.app.app_context(), unit_of_work():
        row = db.session.scalars(sa.select(Session).order_by(Session.started_at).limit(1)).one()
        client = Client(client_id="lib", registration={"client_name": "Китепкана"}, created_at=make.clock.now())
        db.session.add(client)
        db.session.flush()
        granted = {"account_id": row.account_id, "session_id": row.id, "client_id": client.id, "scope": "openid"}
        db.session.add_all([Grant(**granted, granted_at=make.clock.now()) for _ in range(2)])
    assert two[0].get("/account/sessions").text.count("Systems: Китепкана") == 1


def test_ending_one_signs_that_browser_out_and_is_on_the_trail(make: Make, two: tuple[Browser, Browser]) -> None:
    (other,) = END.findall(two[0].get("/account/sessions").text)
    path = f"/account/sessions/{other}/end"
    assert two[0].submit(path, {}, page="/account/sessions").status_code == 303
    assert [inside(browser) for browser in two] == [True, False]
    assert two[0].submit(path, {}, page="/account").status_code == 404, "it has ended"
    with make.app.app_context():
        record = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "session-ended")).one()
        assert record.before is not None
        assert record.before["device"] == "Chrome, Android"
        assert record.after is not None
        assert record.after["open"] is False


def test_somebody_elses_session_is_answered_like_none_and_goes_on(make: Make, two: tuple[Browser, Browser]) -> None:
    (other,) = END.findall(two[0].get("/account/sessions").text)
    stranger = signed_in(make, make.account("bermet"))
    for session in (other, UUID(int=1), uuid7()):
        answer = stranger.submit(f"/account/sessions/{session}/end", {}, page="/account")
        assert (answer.status_code, "There is nothing here" in answer.text) == (404, True)
    assert inside(two[1])
    assert "Chrome, Android" not in stranger.get("/account/sessions").text


def test_ending_all_others_leaves_this_one(make: Make, two: tuple[Browser, Browser]) -> None:
    stranger = signed_in(make, make.account("bermet"))
    assert two[1].submit("/account/sessions/end-others", {}, page="/account/sessions").status_code == 303
    assert [inside(browser) for browser in (*two, stranger)] == [False, True, True]


def test_one_that_rested_for_too_long_can_still_be_ended(make: Make, clock: SetClock) -> None:
    someone = make.account()
    signed_in(make, someone, PHONE)
    clock.advance(hours=2)
    browser = signed_in(make, someone)
    assert "Chrome, Android" in browser.get("/account/sessions").text
    browser.submit("/account/sessions/end-others", {}, page="/account/sessions")
    assert "Chrome, Android" not in browser.get("/account/sessions").text


def test_an_address_of_the_universitys_network_is_told_as_such(
    make: Make, two: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "inside the university" not in two[0].get("/account/sessions").text
    house = make.service.profile.institution
    own = replace(make.service.profile, institution=replace(house, networks=(ip_network("127.0.0.0/8"),)))
    monkeypatch.setitem(make.app.extensions, "achkych", replace(make.service, profile=own))
    assert two[0].get("/account/sessions").text.count("inside the university") == 2
