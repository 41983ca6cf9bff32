"""The mail about a sign-in on a device not seen before (5.4, 6.5): sent when there is reason, and only then."""

import json
from typing import Any

import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db
from idp.models import Message, Session
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEWER = FIREFOX.replace("140", "141")
PHONE = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


def sign_in(make: Make, someone: Someone, agent: str = FIREFOX, address: str = "10.1.1.1") -> Browser:
    """In a browser nobody has used."""
    browser = Browser(make)
    return again(browser, someone, agent, address)


def again(browser: Browser, someone: Someone, agent: str = FIREFOX, address: str = "10.1.1.1") -> Browser:
    browser._headers |= {"User-Agent": agent}
    browser._client.environ_base = {"REMOTE_ADDR": address}
    assert browser.sign_in(someone).status_code == 303
    return browser


def mails(make: Make) -> list[dict[str, Any]]:
    with make.app.app_context():
        found = db.session.scalars(sa.select(Message).where(Message.template == "new-device")).all()
        texts = [make.service.vault.open(one.content, f"message/{one.id}") for one in found if one.content]
        db.session.remove()
    return [json.loads(text) for text in texts]


def test_the_first_sign_in_ever_sends_none_and_one_on_another_device_tells_when_where_and_on_what(
    make: Make, clock: SetClock
) -> None:
    someone = make.account()
    sign_in(make, someone)
    assert mails(make) == []
    clock.advance(days=1)
    sign_in(make, someone, PHONE, "203.0.113.7")
    (mail,) = mails(make)
    assert (mail["device"], mail["address"], mail["moment"]) == ("Chrome, Android", "203.0.113.7", "10.09.2026 12:00")
    page = Browser(make).get(mail["misuse_link"].removeprefix(make.service.settings.base_url))
    assert "Is somebody else using your account?" in page.text


def test_a_browser_is_known_again_wherever_it_is_and_after_its_update(make: Make, clock: SetClock) -> None:
    someone = make.account()
    browser = sign_in(make, someone)
    browser.submit("/sign-out", {})
    clock.advance(days=200)
    again(browser, someone, NEWER, "198.51.100.9")
    assert mails(make) == []


def test_a_private_window_at_the_same_address_is_no_new_device(make: Make) -> None:
    someone = make.account()
    sign_in(make, someone)
    sign_in(make, someone, NEWER)
    assert mails(make) == []


def test_the_same_kind_of_browser_elsewhere_and_another_kind_here_are_new(make: Make) -> None:
    someone = make.account()
    sign_in(make, someone)
    sign_in(make, someone, FIREFOX, "198.51.100.9")
    sign_in(make, someone, PHONE)
    assert len(mails(make)) == 2


def test_what_one_account_knows_is_new_to_another(make: Make) -> None:
    aida, bermet = make.account(), make.account("bermet")
    sign_in(make, bermet, PHONE, "203.0.113.7")
    browser = sign_in(make, aida)
    again(browser, bermet)
    assert len(mails(make)) == 1


def test_the_cookie_opens_nothing_is_out_of_reach_of_scripts_and_only_its_digest_is_kept(make: Make) -> None:
    browser = sign_in(make, make.account())
    cookie = browser._client.get_cookie("achkych-device")
    assert cookie is not None
    assert (cookie.http_only, cookie.path, cookie.same_site, cookie.origin_only) == (True, "/", "Lax", True)
    assert len(cookie.value) >= 43
    with make.app.app_context():
        assert cookie.value not in repr(db.session.execute(sa.select(Session.__table__)).all())
        db.session.remove()
    other = make.browser()
    other.set_cookie("achkych-device", cookie.value)
    assert other.get("/account").status_code == 303
