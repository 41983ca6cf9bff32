"""The page where a person types the code of their device: what it says, where it leads, how often one may guess."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Client, Consent, Grant, InitialAccessToken
from policies.registration import DEVICE_CODE
from tests.builders import Make
from tests.idp.oauth.conftest import party
from tests.idp.oauth.driver import Party, Registered
from tests.idp.web.browser import Browser

__all__ = ["party"]  # the fixture
WRONG = "BBBB-BBBB"


@pytest.fixture
def client(party: Party) -> Registered:
    return a_device(party)


def a_device(party: Party, **changes: Any) -> Registered:
    plain = {"client_name": "Television", "grant_types": [DEVICE_CODE], "redirect_uris": [], "public": True}
    return party.client(**(plain | changes))


def a_code(party: Party, client: Registered) -> str:
    form = {"scope": "openid email orders:read"}
    return str(party._post("/oauth/device_authorization", client, {}, form).get_json()["user_code"])


def a_browser(make: Make, login: str = "aida", **person: Any) -> Browser:
    browser = Browser(make)
    browser.sign_in(make.account(login, **person))
    return browser


def test_the_page_says_who_asks_for_what_and_to_compare_the_code(
    party: Party, make: Make, app: Flask, client: Registered
) -> None:
    code = a_code(party, client)
    page = a_browser(make).submit("/device", {"user_code": code.lower().replace("-", " ")})
    assert page.status_code == 200
    for said in ("<strong>Television</strong>", f'id="code_shown">{code}<', "Know that it is you",
                 "See your e-mail address", "orders:read", "started it yourself", 'id="allow"', 'id="deny"'):  # fmt: skip
        assert said in page.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Grant)) == 0, "looking gives nothing away"
        db.session.remove()


def test_of_a_client_nobody_checked_the_page_warns(party: Party, make: Make, app: Flask) -> None:
    browser, warning = a_browser(make), "This system registered itself"
    client = a_device(party, first_party=False)
    assert warning not in browser.submit("/device", {"user_code": a_code(party, client)}).text
    with app.app_context():
        right = InitialAccessToken(name="Vendor", token_digest="x", scopes=[], uses_left=0, created_at=make.clock.now(),
                                   expires_at=make.clock.now())  # fmt: skip
        db.session.add(right)
        db.session.flush()
        db.session.scalars(sa.select(Client)).one().registered_with = right.id
        db.session.commit()
        db.session.remove()
    page = browser.submit("/device", {"user_code": a_code(party, client)}).text
    assert warning in page
    assert "You are signed in as" in page


def test_the_code_comes_through_the_sign_in(party: Party, make: Make, client: Registered) -> None:
    code, someone, browser = a_code(party, client), make.account(accepted=False), Browser(make)
    assert browser.get(f"/device?user_code={code}").headers["Location"] == "/continue"
    browser.sign_in(someone)
    for agreement in make.service.profile.in_force:
        answer = browser.submit("/agreement", {"accept": "yes", "sha256": agreement.sha256})
    back = browser.get(answer.headers["Location"]).headers["Location"]
    assert back == f"/device?user_code={code}"
    page = browser.get(back).text
    assert f'value="{code}"' in page
    assert "Television" not in page, "an address that somebody sent tells and gives nothing"


def test_an_endless_address_is_not_carried_along(make: Make) -> None:
    browser = Browser(make)
    browser.get(f"/device?user_code={'x' * 5000}")
    browser.sign_in(make.account())
    assert browser.get("/continue").headers["Location"] == "/device"


@pytest.mark.parametrize("entered", [WRONG, "", "nonsense", "<script>", "\0", "x" * 5000])
def test_a_wrong_code_says_so(make: Make, entered: str) -> None:
    browser = a_browser(make)
    for path in ("/device", "/device/decision"):
        answer = browser.submit(path, {"user_code": entered, "decision": "allow"}, page="/device")
        assert (answer.status_code, "This code is not right" in answer.text) == (422, True)
        assert "<script>" not in answer.text


def test_after_five_wrong_codes_none_is_looked_at_for_ten_minutes(
    party: Party, make: Make, app: Flask, clock: SetClock, client: Registered
) -> None:
    browser, other, code = a_browser(make), a_browser(make, "other"), a_code(party, client)
    statuses = [browser.submit("/device", {"user_code": WRONG}).status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    refused = browser.submit("/device", {"user_code": code})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "600")
    assert "Wait 10 minutes" in refused.text
    assert browser.submit("/device/decision", {"user_code": code}, page="/device").status_code == 429
    assert other.submit("/device", {"user_code": code}).status_code == 200, "it is counted for each account"
    clock.advance(minutes=10)
    assert browser.submit("/device", {"user_code": a_code(party, client)}).status_code == 200
    with app.app_context():
        found = db.session.scalars(sa.select(AuditRecord.login).where(AuditRecord.act == "device-codes-refused")).all()
        db.session.remove()
    assert found == ["aida"]


def test_a_right_code_in_between_buys_no_more_guesses(party: Party, make: Make, client: Registered) -> None:
    browser, code = a_browser(make), a_code(party, client)
    for _ in range(4):
        assert browser.submit("/device", {"user_code": WRONG}).status_code == 422
    for _ in range(3):
        assert browser.submit("/device", {"user_code": code}).status_code == 200
    statuses = [browser.submit("/device", {"user_code": WRONG}).status_code for _ in range(2)]
    assert statuses == [422, 429]


def test_of_forty_parallel_guesses_five_are_looked_at(make: Make) -> None:
    browser = a_browser(make)
    form = browser.form("/device") | {"user_code": WRONG}
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: browser.post("/device", data=form).status_code, range(40)))
    assert sorted(statuses) == [422] * 5 + [429] * 35


def test_who_has_no_access_to_the_system_can_not_connect_its_device(party: Party, make: Make) -> None:
    code = a_code(party, a_device(party, system="unet"))
    browser = a_browser(make, systems=())
    for path in ("/device", "/device/decision"):
        answer = browser.submit(path, {"user_code": code, "decision": "allow"}, page="/device")
        assert (answer.status_code, "No access to Television" in answer.text) == (403, True)
    member = a_browser(make, "member")
    assert (
        member.submit("/device/decision", {"user_code": code, "decision": "allow"}, page="/device").status_code == 200
    )


@pytest.mark.parametrize("decision", ["deny", "", "ALLOW", None])
def test_all_but_the_one_button_is_the_other(
    party: Party, make: Make, client: Registered, decision: str | None
) -> None:
    fields = {"user_code": a_code(party, client)} | ({} if decision is None else {"decision": decision})
    page = a_browser(make).submit("/device/decision", fields, page="/device").text
    assert 'id="denied"' in page


@pytest.mark.parametrize("language", ["ky", "ru"])
def test_the_pages_are_there_in_every_language(party: Party, make: Make, client: Registered, language: str) -> None:
    browser = Browser(make, language)
    browser.sign_in(make.account())
    page = browser.submit("/device", {"user_code": a_code(party, client)}).text
    assert f'<html lang="{language}">' in page
    assert not re.search("Connect|Allow|Deny|device", re.sub(r"<[^>]*>", "", page))


def test_the_page_says_where_the_device_would_act_and_allowing_is_consent_to_that(
    party: Party, make: Make, app: Flask
) -> None:
    client = a_device(party, resources=["https://gate.example/"])
    form = {"scope": "openid", "resource": "https://gate.example/"}
    code = str(party._post("/oauth/device_authorization", client, {}, form).get_json()["user_code"])
    browser = a_browser(make)
    page = browser.submit("/device", {"user_code": code}).text
    assert 'Act for you at <span class="mono">https://gate.example/</span>' in page
    browser.submit("/device/decision", {"user_code": code, "decision": "allow"}, page="/device")
    with app.app_context():
        assert db.session.scalars(sa.select(Consent)).one().resources == ["https://gate.example/"]
        db.session.remove()
