"""The forms by which officers give and forbid systems, on a person's page (6.7)."""

import re

import pytest
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.models import Account, Person
from tests.builders import Make
from tests.idp.hr import Hr
from tests.idp.web.browser import Browser


@pytest.fixture
def page(hr: Hr, app: Flask, make: Make) -> str:
    """Of somebody of the department 0407."""
    hr.deliver("hire")
    with app.app_context(), unit_of_work():
        account = db.session.query(Account).join(Person).one()
        return f"/people/{account.id}"


def officer(make: Make, **more: str) -> Browser:
    browser = Browser(make)
    browser.sign_in(make.officer("officer", **more))
    return browser


def forbid(browser: Browser, page: str, **fields: str) -> int:
    told = {"decision": "forbid", "system": "moodle", "reason": "a breach"} | fields
    return browser.submit(f"{page}/access", told, page=page).status_code


def test_an_officer_forbids_a_system_and_allows_it_again(make: Make, page: str) -> None:
    browser = officer(make)
    assert forbid(browser, page, document="act 4") == 303
    text = browser.get(page).text
    assert "Forbidden; the system follows" in text and "a breach · act 4" in text
    (address,) = re.findall(r'action="([^"]+/lift)"', text)
    assert browser.submit(address, {"reason": "settled"}, page=page).status_code == 303
    text = browser.get(page).text
    assert "Was forbidden" in text and "settled" in text and address not in text


def test_an_officer_gives_a_program_until_a_day(make: Make, page: str, clock: SetClock) -> None:
    browser = officer(make)
    told = {"decision": "give", "system": "1c 1c.hr", "reason": "replaces a colleague", "ends_on": "2026-12-31"}
    assert browser.submit(f"{page}/access", told, page=page).status_code == 303
    assert "1c.hr" in browser.get(page).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": " "}, "Give the reason."),
        ({"ends_on": "2020-01-01"}, "Check the days"),
        ({"ends_on": "tomorrow"}, "Check the days"),
        ({"system": "nothing"}, "Choose a system."),
        ({"decision": "give"}, "Say until when"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_entered(
    make: Make, page: str, fields: dict[str, str], said: str
) -> None:
    browser = officer(make)
    told = {"decision": "forbid", "system": "moodle", "reason": "a breach", "document": "act 77"} | fields
    answer = browser.submit(f"{page}/access", told, page=page)
    assert answer.status_code == 422
    assert said in answer.text and 'value="act 77"' in answer.text


def test_the_form_names_the_systems_that_are_the_officers_and_nobody_elses(make: Make, page: str) -> None:
    mine = officer(make, system="mail")
    assert set(re.findall(r'<option value="([^" ]+)"', mine.get(page).text)) == {"mail"}
    assert forbid(mine, page) == 404
    hr = Browser(make)
    hr.sign_in(make.officer("hr", "hr", None))
    assert "Forbid a system" not in hr.get(page).text
