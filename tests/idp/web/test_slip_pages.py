"""Printing a slip at the desk, noting its hand-over, and the page on which its code is typed."""

import re

import pytest

from policies.slips import read_slip_code, shown
from tests.builders import Make
from tests.idp.hr import Hr
from tests.idp.paper import is_accessible, pages_of, text_of
from tests.idp.web.browser import Browser

GOOD = "Kumbez, 9 Tash-Rabat"
CODE = re.compile(r"(?:[0-9A-Z]{4} ){6}[0-9A-Z]{2}")
SLIP = re.compile(r'action="(/desk/activations/[^/"]+)/slip"')
READY = re.compile(r'name="slip" value="([^"]+)"')


@pytest.fixture
def desk(make: Make, hr: Hr) -> Browser:
    """The desk of Anara's officer, on the day she was hired."""
    hr.deliver("hire")
    browser = Browser(make)
    browser.sign_in(make.officer())
    return browser


def row(desk: Browser) -> str:
    found = SLIP.search(desk.get("/desk").text)
    assert found is not None
    return found[1]


def print_slip(desk: Browser) -> str:
    """What stands on the sheet."""
    return text_of(desk.submit(f"{row(desk)}/slip", {}, page="/desk").data)


def code_on(sheet: str) -> str:
    found = CODE.search(sheet)
    assert found is not None
    return found[0]


def hand_over(desk: Browser) -> str:
    found = READY.search(desk.get("/desk").text)
    assert found is not None
    desk.submit(f"{row(desk)}/handed-over", {"slip": found[1]}, page="/desk")
    return desk.get("/desk").text


def test_the_sheet_says_all_in_three_languages_and_nobody_keeps_a_copy(desk: Browser) -> None:
    answer = desk.submit(f"{row(desk)}/slip", {}, page="/desk")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'inline; filename="slip.pdf"', "it names nobody"
    assert is_accessible(answer.data)
    assert pages_of(answer.data) == 1
    sheet = text_of(answer.data)
    for told in (
        "Үлгүбаева Анара Үлгүевна", "a.ulgubaeva", "http://localhost/activation", "14.09.2026", "14 Sep 2026",
        "Биринчи жолу кантип кирүү керек", "Как войти в первый раз", "How to sign in for the first time",
    ):  # fmt: skip
        assert told in sheet
    assert read_slip_code(code_on(sheet)) is not None
    assert code_on(sheet) not in desk.get("/desk").text


def test_from_the_printed_code_to_the_password(make: Make, desk: Browser) -> None:
    code = code_on(print_slip(desk))
    newcomer = Browser(make)
    typed = {"code": code.lower().replace(" ", "-")}
    there = newcomer.submit("/activation", typed).headers["Location"]
    waiting = newcomer.get(there)
    assert (waiting.status_code, "The officer has to confirm first" in waiting.text) == (409, True)
    assert newcomer.submit(there, {"password": GOOD, "again": GOOD}, page="/activation").status_code == 409
    assert "The hand-over is noted" in hand_over(desk)
    assert "Your password is set" in newcomer.submit(there, {"password": GOOD, "again": GOOD}).text
    assert newcomer.get(there).status_code == 410
    assert "Everyone has set a password." in desk.get("/desk").text


def test_the_desk_tells_how_each_slip_stands(desk: Browser) -> None:
    print_slip(desk)
    assert "A slip was printed and not handed over yet." in desk.get("/desk").text
    page = hand_over(desk)
    assert "The slip was handed over and has not been used yet." in page
    assert READY.search(page) is None
    print_slip(desk)
    assert "A slip was printed and not handed over yet." in desk.get("/desk").text


@pytest.mark.parametrize("slip", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_hand_over_of_no_such_slip_is_refused_in_words(desk: Browser, slip: str) -> None:
    print_slip(desk)
    answer = desk.submit(f"{row(desk)}/handed-over", {"slip": slip}, page="/desk")
    assert answer.status_code == 303
    assert "This slip does not count any more: print a new one." in desk.get("/desk").text


def test_officers_of_other_departments_print_nothing(make: Make, desk: Browser) -> None:
    stranger = Browser(make)
    stranger.sign_in(make.officer("cholpon", department="0112"))
    assert stranger.submit(f"{row(desk)}/slip", {}, page="/desk").status_code in (403, 404)
    assert stranger.submit(f"{row(desk)}/handed-over", {"slip": ""}, page="/desk").status_code == 303


def test_a_wrong_code_is_told_as_wrong_and_too_many_have_to_wait(make: Make, desk: Browser) -> None:
    code = code_on(print_slip(desk))
    newcomer = Browser(make)
    for number in range(make.service.profile.rules.throttle.wrong):
        answer = newcomer.submit("/activation", {"code": f"{shown('0' * 24)} {number}"})
        assert (answer.status_code, "This code does not work" in answer.text) == (422, True)
    answer = newcomer.submit("/activation", {"code": code})
    assert (answer.status_code, "Too many attempts from here" in answer.text) == (429, True)
