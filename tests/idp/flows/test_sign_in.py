"""Lockout (5.7): exact under any number of hands, the same for logins nobody has, lifted by the right officer only."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.app import create_app
from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Busy, Forbidden
from idp.flows.here import Here
from idp.flows.lift_lockout import lift_lockout
from idp.flows.refusal import Refusal
from idp.flows.sign_in import SignedIn, sign_in
from idp.models import Account, AffiliationRow, AuditRecord, Credential, Lockout, Message, Officer, Session
from policies.deadlines import ONE_DAY, local_day
from policies.permissions import Appointment, Who
from tests.builders import PASSWORD, Make, Someone, settings_for
from tests.idp.lock_notices import tell_locks

WRONG = "Not-the-1-password"


def attempt(make: Make, login: str, password: str = WRONG) -> str:
    """One attempt in a request of its own: the refusal's code, ``in``, or ``busy``."""
    with make.app.app_context():
        try:
            with unit_of_work():
                outcome = sign_in(make.here(), login, password)
                return outcome.code if isinstance(outcome, Refusal) else "in"
        except Busy:
            return "busy"


def attempts(make: Make, many: int, hands: int, login: str, password: str = WRONG) -> Counter[str]:
    """The answers to so many attempts at once."""
    start = Barrier(hands)

    def hand(number: int) -> str:
        if number < hands:
            start.wait()
        return attempt(make, login, password)

    with ThreadPoolExecutor(hands) as pool:
        return Counter(pool.map(hand, range(many)))


def rows(app: Flask, statement: sa.Select[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.execute(statement))
        db.session.expunge_all()
        db.session.rollback()
        db.session.remove()
    return found


def counter(app: Flask, login: str = "aida") -> tuple[int, bool]:
    [row] = rows(app, sa.select(Lockout.attempts, Lockout.locked_at).where(Lockout.login == login))
    return row.attempts, row.locked_at is not None


def acts(app: Flask, *of: str) -> list[Any]:
    return [
        record
        for (record,) in rows(app, sa.select(AuditRecord).where(AuditRecord.act.in_(of)).order_by(AuditRecord.number))
    ]


# --- counting


@pytest.mark.parametrize("login", ["aida", "nobody"])
def test_of_a_hundred_parallel_guesses_three_are_answered_as_wrong(app: Flask, make: Make, login: str) -> None:
    make.account("aida")
    assert attempts(make, 100, 20, login) == {"wrong": 3, "locked": 97}
    assert counter(app, login)[1]
    assert len(acts(app, "locked")) == 1
    assert len(acts(app, "sign-in-refused")) == 100 + 1, "the fourth is wrong, and locked by it"


def test_a_locked_account_refuses_even_the_right_password(app: Flask, make: Make) -> None:
    make.account("aida")
    assert [attempt(make, "aida") for _ in range(4)] == ["wrong", "wrong", "wrong", "locked"]
    assert attempt(make, "aida", PASSWORD) == "locked"
    assert rows(app, sa.select(Session.id)) == []


def test_the_right_password_at_the_fourth_attempt_lets_in_and_starts_the_count_anew(app: Flask, make: Make) -> None:
    make.account("aida")
    for _ in range(2):
        assert [attempt(make, "aida") for _ in range(3)] == ["wrong"] * 3
        assert attempt(make, "aida", PASSWORD) == "in"
        assert counter(app) == (0, False)


def test_a_sign_in_makes_the_hash_as_strong_as_the_settings_want_it(app: Flask, make: Make) -> None:
    make.account("aida")
    [(weak,)] = rows(app, sa.select(Credential.password_hash))
    stronger = create_app(settings_for(app.config["SQLALCHEMY_DATABASE_URI"], hashing={"rounds": 3}))
    assert [attempt(Make(stronger), "aida"), attempt(Make(stronger), "aida", PASSWORD)] == ["wrong", "in"]
    [(strong,)] = rows(app, sa.select(Credential.password_hash))
    assert ("t=2" in weak, "t=3" in strong) == (True, True)
    assert strong.split("$")[4] == weak.split("$")[4], "one salt for all passwords of an account"
    assert attempt(Make(stronger), "aida", PASSWORD) == "in"
    assert rows(app, sa.select(Credential.password_hash)) == [(strong,)]
    with stronger.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "spelling", ["AIDA", "ａｉｄａ", "a\u200bida", "aid\u00ada", " aida ", "ai\u0000da", "\u2060aida", "Aida\u180e"]
)
def test_hostile_spellings_of_a_login_share_one_counter(app: Flask, make: Make, spelling: str) -> None:
    make.account("aida")
    assert [attempt(make, spelling), attempt(make, "aida"), attempt(make, spelling)] == ["wrong"] * 3
    assert attempt(make, spelling) == "locked"
    assert attempt(make, "aida", PASSWORD) == "locked"
    assert len(rows(app, sa.select(Lockout.login))) == 1


def test_what_no_database_could_store_is_a_wrong_login_like_any_other(app: Flask, make: Make) -> None:
    for login in ("", "\ud800", "\x00", "x" * 100_000, "'; DROP TABLE lockout; --", "🦙" * 500):
        assert attempt(make, login) == "wrong"
    assert attempt(make, "aida", "p" * 1_000_000) == "wrong"


def test_an_unknown_login_is_answered_step_by_step_like_a_known_one(app: Flask, make: Make) -> None:
    make.account("aida")
    known = [attempt(make, "aida", password) for password in (WRONG, WRONG, WRONG, WRONG, PASSWORD)]
    assert [attempt(make, "nobody", password) for password in (WRONG, WRONG, WRONG, WRONG, PASSWORD)] == known


def test_an_attempt_that_found_no_room_is_none(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """During a storm an honest person tries again and again; that must not lock them out."""
    make.account("aida")
    hasher, taken = make.service.hasher, 0
    while hasher._room.acquire(blocking=False):
        taken += 1
    assert [attempt(make, "aida", PASSWORD) for _ in range(10)] == ["busy"] * 10
    assert counter(app) == (0, False)
    for _ in range(taken):
        hasher._room.release()
    assert attempt(make, "aida", PASSWORD) == "in"


def test_a_storm_leaves_no_login_shut_without_a_lock_that_can_be_lifted(app: Flask, make: Make) -> None:
    """More hands than the queue of the hasher holds: some are turned away, and the count stays exact."""
    make.account("aida")
    answers = attempts(make, 120, 40, "aida")
    assert answers["wrong"] <= 3
    assert answers["locked"] > 0
    attempt(make, "aida")
    assert counter(app)[1], "whoever finds the door shut finds it locked"


def test_a_login_whose_fourth_attempt_was_never_finished_is_locked_by_the_next(
    app: Flask, make: Make, clock: SetClock
) -> None:
    make.account("aida")
    with app.app_context(), unit_of_work():
        db.session.add(Lockout(login="aida", attempts=4, last_at=clock.now()))
    assert attempt(make, "aida") == "locked"
    assert counter(app) == (5, True)
    assert len(acts(app, "locked")) == 1


def test_parallel_right_sign_ins_all_succeed(app: Flask, make: Make) -> None:
    make.account("aida")
    assert attempts(make, 3, 3, "aida", PASSWORD) == {"in": 3}
    assert counter(app) == (0, False)


# --- what is kept


def test_both_ways_are_recorded_and_the_password_never(app: Flask, make: Make) -> None:
    someone = make.account("aida")
    attempt(make, "aida")
    attempt(make, "aida", PASSWORD)
    refused, signed_in = acts(app, "sign-in-refused", "signed-in")
    assert (refused.login, refused.account_id, refused.after) == ("aida", someone.id, {"reason": "wrong"})
    assert (signed_in.actor, signed_in.account_id) == ("account/aida", someone.id)
    for (record,) in rows(app, sa.select(AuditRecord)):
        assert WRONG not in repr(vars(record))
        assert PASSWORD not in repr(vars(record))


def test_the_owner_is_told_of_the_lock_by_mail_once(app: Flask, make: Make) -> None:
    someone = make.account("aida")
    for _ in range(6):
        attempt(make, "aida")
    attempts(make, 5, 5, "nobody")
    assert rows(app, sa.select(Message.id)) == [], "not in the request, so that its time tells nothing"
    tell_locks(make)
    tell_locks(make)
    assert rows(app, sa.select(Message.template, Message.account_id)) == [("locked", someone.id)]


def test_an_account_outside_its_time_is_refused_with_the_reason_after_the_right_password_only(
    app: Flask, make: Make, clock: SetClock
) -> None:
    someone = make.account("aida")
    make.close(someone)
    assert attempt(make, "aida", PASSWORD) == "closed"
    assert attempt(make, "aida", WRONG) == "wrong"
    with app.app_context(), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        account.opens_at, account.closes_at = clock.now() + ONE_DAY, None
    assert attempt(make, "aida", PASSWORD) == "not-yet"
    assert [record.after["reason"] for record in acts(app, "sign-in-refused")] == ["closed", "wrong", "not-yet"]
    assert rows(app, sa.select(Session.id)) == []


# --- the same wrong password


@pytest.fixture
def forgiving(make: Make) -> Make:
    """An institution where the same wrong password counts once."""
    rules = make.service.profile.rules
    lockout = replace(rules.lockout, same_wrong_once=True)
    profile = replace(make.service.profile, rules=replace(rules, lockout=lockout))
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=profile)
    return make


@pytest.mark.parametrize("login", ["aida", "nobody"])
def test_the_same_wrong_password_counts_once_and_different_ones_lock(forgiving: Make, app: Flask, login: str) -> None:
    forgiving.account()
    assert [attempt(forgiving, login) for _ in range(9)] == ["wrong"] * 9
    assert counter(app, login) == (1, False)
    assert [attempt(forgiving, login, f"wrong {place}") for place in range(3)] == ["wrong", "wrong", "locked"]


def test_of_a_hundred_that_send_the_same_wrong_one_at_once_none_locks_and_different_ones_are_exact(
    forgiving: Make, app: Flask
) -> None:
    forgiving.account()
    assert attempts(forgiving, 100, 20, "aida") == {"wrong": 100}
    assert counter(app) == (1, False)


def test_the_right_password_twice_takes_no_attempt_of_others_back(forgiving: Make, app: Flask) -> None:
    """Else whoever knows the password could guess codes without end."""
    aida = forgiving.account()
    forgiving.enrol(aida)
    assert [attempt(forgiving, "aida", f"wrong {place}") for place in range(2)] == ["wrong"] * 2
    for _ in range(5):
        assert attempt(forgiving, "aida", PASSWORD) == "in"
    assert counter(app) == (2, False)


def test_nothing_of_a_password_is_kept_where_each_counts(make: Make, app: Flask) -> None:
    make.account()
    attempt(make, "aida")
    assert rows(app, sa.select(Lockout.last_print)) == [(None,)]


# --- lifting


def locked(make: Make, login: str = "aida", **more: Any) -> Someone:
    someone = make.account(login, **more)
    for _ in range(4):
        attempt(make, login)
    return someone


def lift(make: Make, officer: Someone, whom: Someone, reason: str = "passport shown") -> str | None:
    with make.app.app_context(), unit_of_work():
        columns = sa.select(Officer.role, Officer.department, Officer.system, Officer.from_, Officer.until)
        appointed = db.session.execute(columns.where(Officer.account_id == officer.id))
        who = Who(str(officer.id), tuple(Appointment(*row) for row in appointed))
        here = Here(make.service, make.clock.now(), f"account/{officer.login}", "r-1", who=who, account_id=officer.id)
        refusal = lift_lockout(here, db.session.get_one(Account, whom.id), reason)
        return refusal.code if refusal else None


def test_the_officer_of_the_department_lifts_the_lock_with_a_reason(app: Flask, make: Make) -> None:
    aida, officer = locked(make), make.officer("bakyt", department="0407")
    assert lift(make, officer, aida, "  ") == "reason-required"
    assert counter(app)[1]
    assert lift(make, officer, aida) is None
    assert counter(app) == (0, False)
    assert attempt(make, "aida", PASSWORD) == "in"
    [lifted] = acts(app, "lockout-lifted")
    assert (lifted.actor, lifted.account_id) == ("account/bakyt", aida.id)
    assert (lifted.before, lifted.after) == ({"locked": True}, {"locked": False, "reason": "passport shown"})
    tell_locks(make)
    assert {row.template for row in rows(app, sa.select(Message.template))} == {"locked", "unlocked"}


def test_a_lock_is_lifted_once(app: Flask, make: Make) -> None:
    aida, officer = locked(make), make.officer("bakyt")
    assert [lift(make, officer, aida), lift(make, officer, aida)] == [None, "gone"]
    assert len(acts(app, "lockout-lifted")) == 1


@pytest.mark.parametrize(
    ("role", "department", "allowed"),
    [("officer", "0407", True), ("officer", "0112", False), ("officer", None, True), ("admin", None, True),
     ("hr", None, False), ("security", None, False), ("admin", "0112", True)],
)  # fmt: skip
def test_who_may_lift_a_lock(app: Flask, make: Make, role: str, department: str | None, allowed: bool) -> None:
    aida, officer = locked(make), make.officer("bakyt", role, department)
    if allowed:
        assert lift(make, officer, aida) is None
    else:
        with pytest.raises(Forbidden):
            lift(make, officer, aida)
    assert counter(app)[1] is not allowed


def test_nobody_lifts_their_own_lock(app: Flask, make: Make) -> None:
    for role in ("officer", "admin"):
        officer = make.officer(role, role, None)
        for _ in range(4):
            attempt(make, role)
        with pytest.raises(Forbidden):
            lift(make, officer, officer)
        assert counter(app, role)[1]


def test_the_officer_of_a_department_the_person_has_left_does_not_lift_any_more(
    app: Flask, make: Make, clock: SetClock
) -> None:
    aida = locked(make, department="0112")
    today = local_day(clock.now(), make.service.zone)
    with app.app_context(), unit_of_work():
        person_id = db.session.get_one(Account, aida.id).person_id
        db.session.execute(
            sa.update(AffiliationRow).where(AffiliationRow.person_id == person_id).values(ends_on=today - ONE_DAY)
        )
        db.session.add(AffiliationRow(person_id=person_id, kind="employee", department="0407", starts_on=today))
    with pytest.raises(Forbidden):
        lift(make, make.officer("former", department="0112"), aida)
    assert lift(make, make.officer("present", department="0407"), aida) is None


def test_an_appointment_that_is_over_or_has_not_begun_lifts_nothing(app: Flask, make: Make, clock: SetClock) -> None:
    aida, officer = locked(make), make.officer("bakyt")
    clock.advance(days=-1)
    with pytest.raises(Forbidden):
        lift(make, officer, aida)


def test_signing_in_gives_a_session_nobody_else_can_compute(app: Flask, make: Make) -> None:
    make.account("aida")
    tokens = set()
    for _ in range(2):
        with app.app_context(), unit_of_work():
            outcome = sign_in(make.here(), "aida", PASSWORD)
            assert isinstance(outcome, SignedIn)
            tokens.add(outcome.token)
    assert len(tokens) == 2
    assert not tokens & {row.token_digest for row in rows(app, sa.select(Session.token_digest))}
