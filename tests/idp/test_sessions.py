"""Sessions (5.4-5.6, 3.7): dead at the very moment they must be, whoever is asleep; tighter for officers."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.sessions import end_all_sessions, end_session, find_session, start_session
from idp.models import Account, Session
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser


def inside(browser: Browser) -> bool:
    """Whether the browser's session is alive: the account page is shown."""
    return browser.get("/account").status_code == 200


def signed_in(make: Make, someone: Someone) -> Browser:
    browser = Browser(make)
    assert browser.sign_in(someone).status_code == 303
    assert inside(browser)
    return browser


def closes_in(app: Flask, someone: Someone, clock: SetClock, **after: float) -> None:
    with app.app_context(), unit_of_work():
        db.session.get_one(Account, someone.id).closes_at = clock.now() + timedelta(**after)


def test_the_session_of_a_closed_account_is_dead_at_the_very_moment_and_nothing_has_to_run_for_it(
    app: Flask, make: Make, clock: SetClock
) -> None:
    someone = make.account()
    browser = signed_in(make, someone)
    closes_in(app, someone, clock, minutes=30)
    clock.advance(minutes=30, microseconds=-1)
    assert inside(browser)
    clock.advance(microseconds=1)
    assert not inside(browser)
    assert browser.sign_in(someone).status_code == 401


def test_an_account_not_open_yet_has_no_session_either(app: Flask, make: Make, clock: SetClock) -> None:
    someone = make.account()
    browser = signed_in(make, someone)
    with app.app_context(), unit_of_work():
        db.session.get_one(Account, someone.id).opens_at = clock.now() + timedelta(seconds=1)
    assert not inside(browser)
    clock.advance(seconds=1)
    assert inside(browser)


@pytest.mark.parametrize(("role", "idle"), [(None, 60), ("officer", 15), ("admin", 15), ("hr", 15), ("security", 15)])
def test_a_session_without_activity_ends_and_an_officers_sooner(
    make: Make, clock: SetClock, role: str | None, idle: int
) -> None:
    browser = signed_in(make, make.officer(role=role) if role else make.account())
    for _ in range(3):
        clock.advance(minutes=idle - 1)
        assert inside(browser)
    clock.advance(minutes=idle)
    assert not inside(browser)


@pytest.mark.parametrize(("role", "hours", "step"), [(None, 24, 48), ("officer", 12, 12)])
def test_no_session_lives_longer_than_its_day_whatever_the_activity(
    make: Make, clock: SetClock, role: str | None, hours: int, step: int
) -> None:
    browser = signed_in(make, make.officer(role=role) if role else make.account())
    for _ in range(hours * 60 // step - 1):
        clock.advance(minutes=step)
        assert inside(browser)
    clock.advance(minutes=step)
    assert not inside(browser)


def test_an_appointment_tightens_the_session_that_is_open(make: Make, app: Flask, clock: SetClock) -> None:
    plain, officer = signed_in(make, make.account("aida")), signed_in(make, make.officer("bakyt"))
    clock.advance(minutes=16)
    assert (inside(plain), inside(officer)) == (True, False)


def test_signing_out_ends_the_session_on_the_server(app: Flask, make: Make) -> None:
    browser = signed_in(make, make.account())
    cookie = browser._client.get_cookie("achkych-session")
    assert cookie is not None
    assert browser.submit("/sign-out", {}).status_code in {200, 303}
    other = make.browser()
    other.set_cookie("achkych-session", cookie.value)
    assert other.get("/account").status_code == 303, "the old cookie opens nothing"


def test_each_sign_in_gets_a_session_of_its_own_and_no_given_one_is_taken_over(app: Flask, make: Make) -> None:
    someone = make.account()
    browser = Browser(make)
    browser._client.set_cookie("achkych-session", "chosen-by-an-attacker")
    browser.sign_in(someone)
    cookie = browser._client.get_cookie("achkych-session")
    assert cookie is not None
    assert cookie.value != "chosen-by-an-attacker"
    assert len(cookie.value) >= 43
    assert (cookie.http_only, cookie.path, cookie.max_age, cookie.expires) == (True, "/", None, None)
    assert cookie.origin_only, "no Domain: this very host"


def test_ending_all_sessions_but_one_leaves_that_one(app: Flask, make: Make, clock: SetClock) -> None:
    someone = make.account()
    with app.app_context(), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        tokens = [start_session(make.here(), account) for _ in range(3)]
    with app.app_context(), unit_of_work():
        kept = find_session(tokens[0], clock.now())
        assert kept is not None
        assert end_all_sessions(make.here(), db.session.get_one(Account, someone.id), "asked", but=[kept.id]) == 2
    with app.app_context(), unit_of_work():
        assert [find_session(token, clock.now()) is not None for token in tokens] == [True, False, False]
        assert end_session(make.here(), kept.id, "asked") == 1
        assert end_session(make.here(), kept.id, "asked") == 0


def test_the_database_holds_nothing_that_opens_a_session(app: Flask, make: Make) -> None:
    browser = signed_in(make, make.account())
    cookie = browser._client.get_cookie("achkych-session")
    assert cookie is not None
    with app.app_context():
        rows = db.session.execute(sa.select(Session.__table__)).all()
        db.session.remove()
    assert cookie.value not in repr(rows)


def test_signing_in_again_in_the_same_browser_goes_on_under_a_new_cookie(make: Make, clock: SetClock) -> None:
    someone = make.account()
    browser = signed_in(make, someone)
    before = browser.session_cookie()
    clock.advance(minutes=5)
    assert browser.sign_in(someone).status_code == 303
    after = browser.session_cookie()
    with make.app.app_context():
        assert find_session(before, clock.now()) is None
        renewed = find_session(after, clock.now())
        assert renewed is not None
        assert renewed.authenticated_at == clock.now()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == 1
        db.session.remove()


def test_somebody_elses_session_in_the_same_browser_ends(make: Make, clock: SetClock) -> None:
    browser = signed_in(make, make.account())
    before = browser.session_cookie()
    assert browser.sign_in(make.account("bermet")).status_code == 303
    with make.app.app_context():
        assert find_session(before, clock.now()) is None


@pytest.mark.parametrize("who", ["the same", "somebody else"])
def test_a_session_past_its_limits_goes_on_with_its_own_person_and_ends_with_others(
    make: Make, clock: SetClock, who: str
) -> None:
    someone = make.account()
    browser = signed_in(make, someone)
    clock.advance(hours=2)
    assert not inside(browser)
    assert browser.sign_in(someone if who == "the same" else make.account("bermet")).status_code == 303
    assert inside(browser)
    with make.app.app_context():
        reasons = db.session.scalars(sa.select(Session.end_reason).order_by(Session.id)).all()
        db.session.remove()
    assert reasons == ([None] if who == "the same" else ["replaced", None])


def test_who_signs_in_while_their_session_is_ended_elsewhere_gets_a_new_one(make: Make, clock: SetClock) -> None:
    someone = make.account()
    with make.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        start_session(make.here(), account)
        ended = db.session.scalars(sa.select(Session.id)).one()
        here = replace(make.here(), account_id=account.id, session_id=ended)
        end_session(make.here(), ended, "locked")
        token = start_session(here, account)
    with make.app.app_context():
        assert find_session(token, clock.now()) is not None
