"""Changing the password (5.1, 5.7; ASVS 6.3.7, 7.5.1): by who knows the present one; everybody else is out."""

import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Lockout
from tests.builders import PASSWORD, Make
from tests.idp.recovery import NEW, link_of, mails, texts
from tests.idp.web.browser import Browser

PAGE = "/account/password"


def change(browser: Browser, present: str | None = None, password: str = NEW, again: str | None = None) -> str:
    """What the answer says, or where it leads."""
    fields = {"password": password, "again": password if again is None else again}
    answer = browser.submit(PAGE, fields | ({} if present is None else {"present": present}))
    return answer.headers["Location"] if answer.status_code == 303 else answer.text


def test_a_fresh_sign_in_need_not_say_the_present_password_and_after_five_minutes_it_must(
    make: Make, clock: SetClock
) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    clock.advance(minutes=5, microseconds=-1)
    assert 'id="present"' not in browser.get(PAGE).text
    clock.advance(microseconds=1)
    assert 'id="present"' in browser.get(PAGE).text
    assert "The present password is not right" in change(browser)
    assert change(browser, PASSWORD) == "/account"
    assert "The password is changed." in browser.get("/account").text


def test_every_other_session_ends_and_the_person_is_told(app: Flask, make: Make) -> None:
    aida, here, elsewhere = make.account(), Browser(make), Browser(make)
    for browser in (here, elsewhere):
        browser.sign_in(aida)
    assert change(here) == "/account"
    assert (here.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)
    assert [(mail.to, mail.template) for mail in mails(make)] == [("aida@example.org", "password-changed")]
    assert "aida" in texts(make)[0]
    with app.app_context():
        acts = db.session.scalars(sa.select(AuditRecord.act).order_by(AuditRecord.number)).all()
        assert acts[-2:] == ["password-set", "sessions-ended"]
        db.session.remove()


def test_a_wrong_present_password_is_an_attempt_like_any_other_and_the_fourth_locks(
    app: Flask, make: Make, clock: SetClock
) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    clock.advance(minutes=5)
    answers = [change(browser, "Wrong, 1 word") for _ in range(4)]
    assert ["This login is locked" in answer for answer in answers] == [False, False, False, True]
    assert "This login is locked" in change(browser, PASSWORD), "even the right one"
    with app.app_context():
        assert db.session.scalars(sa.select(Lockout.login).where(Lockout.locked_at.is_not(None))).all() == ["aida"]
        db.session.remove()
    assert browser.get("/account").status_code == 200, "open sessions stay"


def test_a_right_present_password_sets_the_count_back(make: Make, clock: SetClock) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    clock.advance(minutes=5)
    for _ in range(3):
        for _ in range(3):
            change(browser, "Wrong, 1 word")
        assert "This password cannot be used" in change(browser, PASSWORD, "aa")


def test_every_broken_rule_is_told_but_only_to_who_knows_the_present_password(make: Make, clock: SetClock) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    page = change(browser, password="aa", again="b")
    for sentence in ("too short", "no digit", "no capital letter", "no special character", "twice in a row", "differ"):
        assert sentence in page
    assert "You have had this password before" in change(browser, password=PASSWORD)
    clock.advance(minutes=5)
    page = change(browser, "Wrong, 1 word", PASSWORD)
    assert ("You have had this password" in page, "The present password is not right" in page) == (False, True)


def test_a_change_kills_a_link_to_recover_by(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    token = link_of(make)
    assert browser.get(f"/recovery/{token}").status_code == 200
    assert change(browser) == "/account"
    assert browser.get(f"/recovery/{token}").status_code == 410
