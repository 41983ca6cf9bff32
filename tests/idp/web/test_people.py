"""Looking people up: by what an officer knows of them, and only those the officer answers for (3.1, 5.7)."""

import re

import pytest
from flask import Flask

from idp.db import db, unit_of_work
from idp.models import Account, Lockout
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser


@pytest.fixture
def people(make: Make) -> dict[str, Someone]:
    """Three of one department, one of another."""
    return {
        "aida": make.account("a.asanova", family="Асанова", given="Аида", patronymic="Бековна"),
        "ainura": make.account("ai.asanova", family="Асанова", given="Айнура", patronymic=None),
        "bermet": make.account("b.uson-uulu", family="Үсөн уулу", given="Бермет", employee_no="T-77"),
        "cholpon": make.account("c.asanova-tokoeva", family="Асанова-Токоева", given="Чолпон"),
        "elsewhere": make.account("a.asanov", family="Асанов", given="Азамат", department="0112"),
    }


def officer(make: Make, role: str = "officer", department: str | None = "0407") -> Browser:
    browser = Browser(make)
    browser.sign_in(make.officer("officer", role, department))
    return browser


def found(browser: Browser, entered: str) -> set[str]:
    answer = browser.submit("/people", {"entered": entered})
    assert answer.status_code == 200
    return set(re.findall(r'<span class="mono">([^<]+)</span>', answer.text))


@pytest.mark.parametrize(
    ("entered", "logins"),
    [
        ("асанова", {"a.asanova", "ai.asanova", "c.asanova-tokoeva"}),
        ("АСАНОВА-токоева", {"c.asanova-tokoeva"}),
        ("Асанова Аида", {"a.asanova"}),
        ("аида асанова", {"a.asanova"}),
        ("Үсөн", {"b.uson-uulu"}),
        ("a.asanova", {"a.asanova"}),
        ("A.ASANOVA@kstu.kg", {"a.asanova"}),
        ("T-77", {"b.uson-uulu"}),
        ("%", set()),
        ("_", set()),
        ("nobody", set()),
        ("999999999999", set()),
        ("\x00", set()),
    ],
)
def test_people_are_found_by_login_number_or_name(
    make: Make, people: dict[str, Someone], entered: str, logins: set[str]
) -> None:
    assert found(officer(make), entered) == logins


def test_an_officer_finds_those_of_their_departments_and_hr_everybody(make: Make, people: dict[str, Someone]) -> None:
    assert found(officer(make), "асан") == {"a.asanova", "ai.asanova", "c.asanova-tokoeva"}
    hr = Browser(make)
    hr.sign_in(make.officer("hr", "hr", None))
    assert found(hr, "асан") == {"a.asanova", "ai.asanova", "c.asanova-tokoeva", "a.asanov"}


def test_what_is_entered_stands_in_no_address(make: Make, people: dict[str, Someone]) -> None:
    browser = officer(make)
    assert "person found" not in browser.get("/people?entered=a.asanova").text
    assert "1 person found" in browser.submit("/people", {"entered": "a.asanova"}).text


def test_somebody_elses_people_are_like_nobody(make: Make, people: dict[str, Someone]) -> None:
    browser = officer(make)
    assert browser.get(f"/people/{people['aida'].id}").status_code == 200
    assert browser.get(f"/people/{people['elsewhere'].id}").status_code == 404


def test_the_page_of_a_person_tells_how_account_and_systems_stand(make: Make, people: dict[str, Someone]) -> None:
    text = officer(make).get(f"/people/{people['aida'].id}").text
    for told in ("Асанова", "a.asanova@kstu.kg", "Active", "None", "Never"):
        assert told in text
    assert "Lift the lock" not in text


def test_a_locked_login_is_unlocked_from_the_page(app: Flask, make: Make, people: dict[str, Someone]) -> None:
    browser, aida = officer(make), people["aida"]
    with app.app_context(), unit_of_work():
        db.session.add(Lockout(login=aida.login, attempts=4, last_at=make.clock.now(), locked_at=make.clock.now()))
    assert "This login is locked" in browser.get(f"/people/{aida.id}").text
    answer = browser.submit(f"/desk/lockouts/{aida.id}/lift", {"reason": "passport shown"}, page=f"/people/{aida.id}")
    assert answer.status_code == 303
    assert "This login is locked" not in browser.get(f"/people/{aida.id}").text


def test_acts_are_offered_only_to_whom_they_are_allowed(app: Flask, make: Make, people: dict[str, Someone]) -> None:
    aida = people["aida"]
    make.enrol(aida)
    with app.app_context(), unit_of_work():
        db.session.get_one(Account, aida.id).activated_at = None
        db.session.add(Lockout(login=aida.login, attempts=4, last_at=make.clock.now(), locked_at=make.clock.now()))
    forms = {"Lift the lock", "Send a new link", "Remove the second factor"}
    shown = officer(make).get(f"/people/{aida.id}").text
    assert all(form in shown for form in forms)
    security = Browser(make)
    security.sign_in(make.officer("security", "security", None))
    seen = security.get(f"/people/{aida.id}").text
    assert not any(form in seen for form in forms)
