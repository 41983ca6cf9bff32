"""The pages of the sign-in: what they say, where they lead, what a half-finished sign-in opens."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.errors import Busy
from idp.models import Acceptance, Session
from tests.builders import Make
from tests.idp.web.browser import Browser


def test_a_storm_shows_the_sign_in_page_again_and_says_when_to_come_back(make: Make) -> None:
    aida, hasher = make.account(), make.service.hasher
    browser = Browser(make)
    for _ in range(hasher.room):
        hasher._room.acquire()
    answer = browser.sign_in(aida)
    for _ in range(hasher.room):
        hasher._room.release()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(Busy().retry_after))
    assert "Please try again shortly" in answer.text
    assert 'value="aida"' in answer.text


def test_a_form_of_yesterday_shows_the_sign_in_page_again(make: Make) -> None:
    answer = Browser(make).post("/sign-in", data={"login": "aida", "password": "x", "csrf_token": "old"})
    assert answer.status_code == 400
    assert "This page was open for too long" in answer.text
    assert 'value="aida"' in answer.text


def test_another_form_of_yesterday_says_so(make: Make) -> None:
    answer = Browser(make).post("/agreement", data={"accept": "yes"})
    assert (answer.status_code, "This page is too old" in answer.text) == (400, True)


@pytest.mark.parametrize("path", ["/sign-in", "/continue", "/agreement"])
def test_a_request_nobody_knows_says_what_to_do(make: Make, path: str) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    answer = browser.get(f"{path}?request=unknown")
    assert (answer.status_code, "This sign-in has run out" in answer.text) == (400, True)


def test_who_has_signed_in_has_no_use_for_the_sign_in_page(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    assert browser.get("/sign-in", follow_redirects=True).request.path == "/account"
    assert browser.get("/signed-out").headers["Location"] == "/account"


def test_before_the_agreement_nothing_opens(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.officer(accepted=False))
    for path in ("/account", "/desk", "/orders"):
        answer = browser.get(path, follow_redirects=True)
        assert answer.request.path == "/agreement"
        assert 'class="rooms"' not in answer.text
    answer = browser.submit("/desk/lockouts/00000000-0000-0000-0000-000000000000/lift", {"reason": "x"}, "/agreement")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"sha256": "right"}, "Tick the box"), ({"accept": "yes", "sha256": "0" * 64}, "The text has changed"),
     ({"accept": "yes"}, "The text has changed")],
)  # fmt: skip
def test_an_agreement_that_is_refused_says_why(make: Make, app: Flask, fields: dict[str, str], reason: str) -> None:
    browser = Browser(make)
    browser.sign_in(make.account(accepted=False))
    answer = browser.submit("/agreement", fields)
    assert (answer.status_code, reason in answer.text) == (422, True)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Acceptance)) == 0


def test_an_accepted_agreement_leads_to_where_the_person_wanted_to_go(make: Make) -> None:
    browser = Browser(make)
    browser.get("/orders")
    browser.sign_in(make.officer(accepted=False))
    for agreement in make.service.profile.in_force:
        answer = browser.submit("/agreement", {"accept": "yes", "sha256": agreement.sha256})
    assert browser.get(answer.headers["Location"]).headers["Location"] == "/orders"


def test_somebody_elses_session_in_this_browser_ends(make: Make, app: Flask, clock: SetClock) -> None:
    browser = Browser(make)
    first = make.account("first")
    browser.sign_in(first)
    page = browser.get("/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    second = make.account("second")
    browser.post("/sign-in", data={"login": second.login, "password": second.password, "csrf_token": token.group(1)})
    with app.app_context():
        reasons = dict(db.session.execute(sa.select(Session.account_id, Session.end_reason)).all())
        assert reasons == {first.id: "replaced", second.id: None}


def test_the_numbers_of_the_password_rules_are_the_profiles(make: Make, app: Flask) -> None:
    with app.app_context():
        page = app.jinja_env.get_template("_password_rules.html").module
        limits = make.service.profile.rules.password
    assert f"At least {limits.shortest} characters." in str(page.sentence("too-short", limits))  # type: ignore[attr-defined]


def test_language_links_keep_the_waiting_request(make: Make) -> None:
    answer = Browser(make).post("/sign-in?lang=ru", data={"login": "a", "request": "", "csrf_token": "old"})
    assert 'href="/sign-in?lang=ky"' in answer.text


@pytest.mark.parametrize(
    ("path", "page"),
    [("/desk/lockouts/00000000-0000-0000-0000-000000000000/lift", "/desk"), ("/nowhere/at/all", "/"),
     ("/activation/token", "/activation/token"), ("/sign-out", "/sign-out")],
)  # fmt: skip
def test_language_links_of_an_answer_to_a_form_lead_to_its_page(make: Make, path: str, page: str) -> None:
    assert f'href="{page}?lang=ky"' in Browser(make).post(path).text


@pytest.mark.parametrize(("lang", "spoken"), [("ru", "ru"), ("xx", "en"), ("", "en")])
def test_only_languages_of_the_house_are_chosen(make: Make, lang: str, spoken: str) -> None:
    assert f'<html lang="{spoken}">' in Browser(make).get(f"/sign-in?lang={lang}").text
