"""The desk: many locks lifted at once, what crowds it, two officers for who acts for others."""

import pytest
import sqlalchemy as sa

from idp.db import db, unit_of_work
from idp.flows.appointments import appoint_officer
from idp.models import Account, Lockout
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser


def lock(make: Make, *logins: str) -> None:
    with make.app.app_context(), unit_of_work():
        now = make.clock.now()
        db.session.add_all(Lockout(login=login, attempts=4, last_at=now, locked_at=now) for login in logins)


def locked(make: Make) -> set[str]:
    with make.app.app_context():
        return set(db.session.scalars(sa.select(Lockout.login).where(Lockout.locked_at.is_not(None))))


def lift(browser: Browser, *people: Someone, reason: str = "attack is over") -> tuple[int, str]:
    answer = browser.submit(
        "/desk/lockouts/lift", {"account": [str(one.id) for one in people], "reason": reason}, "/desk"
    )
    return answer.status_code, answer.text


def test_many_locks_are_lifted_with_one_reason_and_who_could_not_be_is_named(make: Make) -> None:
    people = [make.account(f"aida{place}") for place in range(4)]
    lock(make, *(one.login for one in people[:3]))
    browser = Browser(make)
    browser.sign_in(make.officer())
    page = browser.get("/desk").text
    assert page.count('name="account"') == 3
    assert lift(browser)[0] == lift(browser, people[0], reason=" ")[0] == 422
    assert len(locked(make)) == 3
    status, told = lift(browser, people[0], people[1], people[3])
    assert status == 422 and "aida3</span>: Someone else has already dealt with this" in told
    assert locked(make) == {"aida2"}
    assert lift(browser, people[2])[0] == 303


def test_a_lock_of_another_department_is_like_none_among_others(make: Make) -> None:
    mine, theirs = make.account("aida"), make.account("bermet", department="0112")
    lock(make, "aida", "bermet")
    browser = Browser(make)
    browser.sign_in(make.officer())
    assert lift(browser, theirs)[0] == 422
    assert lift(browser, theirs, mine, mine)[0] == 303, "said twice, it is lifted once"
    assert locked(make) == {"bermet"}


def test_what_is_no_account_is_none(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.officer())
    answer = browser.submit("/desk/lockouts/lift", {"account": ["x", "\0", "0" * 36], "reason": "x"}, "/desk")
    assert (answer.status_code, "Tick whose locks" in answer.text) == (422, True)


def test_a_login_with_an_open_case_stays_locked(make: Make) -> None:
    aida, browser = make.account(), Browser(make)
    browser.sign_in(aida)
    browser.submit("/account/report-misuse", {"told": "x"})
    desk = Browser(make)
    desk.sign_in(make.officer())
    answer = desk.submit(f"/desk/lockouts/{aida.id}/lift", {"reason": "passport"}, "/desk")
    assert answer.status_code == 422 and "the security officer must close the case first" in answer.text
    assert locked(make) == {"aida"}


def test_two_hundred_locks_elsewhere_do_not_crowd_out_ones_own(make: Make) -> None:
    for place in range(201):
        make.account(f"other{place}", department="0112")
    make.account("aida")
    lock(make, *(f"other{place}" for place in range(201)))
    make.clock.advance(seconds=60)
    lock(make, "aida")
    browser = Browser(make)
    bakyt = make.officer()
    with make.app.app_context(), unit_of_work():  # other duties, everywhere, are no matter at the desk
        appoint_officer(make.here(), db.session.get_one(Account, bakyt.id), "hr", None, None, "test order 2")
    browser.sign_in(bakyt)
    page = browser.get("/desk").text
    assert ">aida<" in page and ">other0<" not in page


def test_two_officers_remove_the_factors_of_a_third_on_the_desk(make: Make) -> None:
    make.officer("aida", role="hr", department=None)
    first, second = Browser(make), Browser(make)
    for browser, login in ((first, "bakyt"), (second, "cholpon")):
        browser.sign_in(make.officer(login, role="admin", department=None))
    fields = {"login": "aida", "reason": "lost the phone"}
    assert first.submit("/desk/factors/reset", fields, "/desk").status_code == 303
    assert "another officer must consent before it lapses" in first.get("/desk").text
    assert "Take it back" in first.get("/desk").text
    page = second.get("/desk").text
    assert "bakyt asks: lost the phone" in page and "Consent" in page
    assert second.submit("/desk/factors/reset", fields, "/desk").status_code == 303
    assert "The second factor is removed" in second.get("/desk").text


def test_a_list_that_ends_early_says_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.flows.desk.MOST_ROWS", 3)
    browser = Browser(make)
    browser.sign_in(make.officer())
    for number, ends_early in ((2, False), (3, True)):
        lock(make, make.account(f"aida{number}").login, make.account(f"bermet{number}").login)
        assert ("Only the 3 most urgent are shown" in browser.get("/desk").text) is ends_early
