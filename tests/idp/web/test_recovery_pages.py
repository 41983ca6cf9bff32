"""The pages of forgotten things: one answer to everybody, a link that a look does not spend (4.2; ASVS 6.3.8)."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from idp.db import db
from idp.models import RecoveryRequest
from tests.builders import Make
from tests.idp.recovery import NEW, link_of, mails, work
from tests.idp.web.browser import Browser

PAGES = ("/forgotten-password", "/forgotten-login")
ENTRIES = (
    "aida",
    "aida@example.org",
    "locked",
    "closed",
    "silent",
    "nobody",
    "nobody@example.org",
    "",
    "\x00'",
    "x" * 999,
)


@pytest.fixture
def everybody(make: Make) -> None:
    make.account()
    make.account("locked")
    make.account("silent", personal_email=None)
    make.close(make.account("closed"))
    browser = Browser(make)
    for _ in range(4):
        browser.submit("/sign-in", {"login": "locked", "password": "Wrong, 1 word"})


@pytest.mark.usefixtures("everybody")
@pytest.mark.parametrize("page", PAGES)
def test_whatever_is_entered_the_answer_is_the_same_and_so_is_what_the_database_is_asked(
    app: Flask, make: Make, page: str
) -> None:
    asked: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    browser, answers = Browser(make), []
    form = browser.form(page)
    for entered in ENTRIES:
        asked.clear()
        answer = browser.post(page, data=form | {"entered": entered})
        answers.append((answer.status_code, answer.data, tuple(answer.headers), tuple(asked)))
    assert answers[0][0] == 200
    assert len(set(answers)) == 1
    work(make)
    told = {mail.to for mail in mails(make) if mail.template != "locked"}
    assert told == {"aida@example.org"} | ({"locked@example.org"} if page == PAGES[0] else set())


def test_who_asks_again_and_again_has_to_wait_and_nothing_is_kept(make: Make, app: Flask) -> None:
    browser = Browser(make)
    form = browser.form(PAGES[0])
    told = [browser.post(PAGES[number % 2], data=form | {"entered": f"nobody{number}"}) for number in range(31)]
    assert [answer.status_code for answer in told] == [200] * 30 + [429]
    assert "Too many questions from here" in told[-1].text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(RecoveryRequest.id))) == 30


def test_looking_at_the_link_does_not_spend_it_and_it_goes_nowhere_else(make: Make) -> None:
    make.account()
    browser, path = Browser(make), f"/recovery/{link_of(make)}"
    for _ in range(3):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    fields = {"password": NEW, "again": NEW}
    assert "Your password is set" in browser.submit(path, fields).text
    spent = browser.post(path, data=fields | browser.form("/sign-in"))
    assert (spent.status_code, 'href="/forgotten-password"' in spent.text) == (410, True)
    assert browser.get("/account").status_code == 303, "nobody is signed in by it"


def test_a_refused_password_shows_the_form_again_with_what_is_wrong(make: Make) -> None:
    make.account()
    path = f"/recovery/{link_of(make)}"
    answer = Browser(make).submit(path, {"password": "aa", "again": "b"})
    assert (answer.status_code, "The two entries differ" in answer.text) == (422, True)


@pytest.mark.parametrize("token", ["x", "%00", "ж" * 50])
def test_a_made_up_link_opens_nothing(make: Make, token: str) -> None:
    assert Browser(make).get(f"/recovery/{token}").status_code == 410


def test_links_in_mails_name_our_own_address_whatever_the_browser_says(make: Make) -> None:
    make.account()
    browser = Browser(make)
    elsewhere = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    browser.submit("/forgotten-password", {"entered": "aida"}, headers=elsewhere)
    work(make)
    assert mails(make)[0].link.startswith("http://localhost/recovery/")


def test_the_sign_in_page_leads_there(make: Make) -> None:
    text = Browser(make).get("/sign-in").text
    assert all(f'href="{page}"' in text for page in PAGES)
