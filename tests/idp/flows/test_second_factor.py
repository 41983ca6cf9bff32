"""The second step of a sign-in (5.7; RFC 6238): each code once under any number of hands, wrong ones counted with wrong
passwords."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.crypto import digest
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.change_factors import factors_of, new_recovery_codes, recovery_codes_left
from idp.flows.here import Here
from idp.flows.refusal import Refusal
from idp.flows.reset_factors import Reset, reset_factors
from idp.flows.second_factor import Proof, give_proof, spend_code
from idp.flows.sessions import find_session
from idp.flows.sign_in import SignedIn, sign_in
from idp.models import Account, AuditRecord, Factor, Lockout, Message, RecoveryCode, Session
from policies.permissions import Appointment, Who
from tests.builders import PASSWORD, SEED, Make, Someone
from tests.idp.lock_notices import tell_locks

HANDS = 50


@pytest.fixture
def aida(make: Make) -> Someone:
    aida = make.account()
    make.enrol(aida)
    return aida


def code_at(clock: SetClock, steps: int = 0) -> str:
    return pyotp.TOTP(SEED).at(clock.now() + timedelta(seconds=30 * steps))


def wrong_code(clock: SetClock) -> str:
    near = {code_at(clock, step) for step in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def at_once(make: Make, act: Callable[[], Any]) -> Counter[Any]:
    """The answers to one act of fifty hands, each in a transaction of its own."""
    start = Barrier(HANDS)

    def hand(_: int) -> Any:
        start.wait()
        with make.app.app_context(), unit_of_work():
            return act()

    with ThreadPoolExecutor(HANDS) as pool:
        return Counter(pool.map(hand, range(HANDS)))


def spend(make: Make, someone: Someone, code: str) -> str | None:
    with make.app.app_context(), unit_of_work():
        return spend_code(make.here(), someone.id, code)


def password(make: Make, login: str = "aida", entered: str = PASSWORD) -> str:
    """The half session's cookie, or the refusal."""
    with make.app.app_context(), unit_of_work():
        outcome = sign_in(make.here(), login, entered)
        return outcome.token if isinstance(outcome, SignedIn) else outcome.code


def give(make: Make, token: str, code: str) -> str:
    """``in``, or the refusal; ``nobody`` where the session is gone."""
    with make.app.app_context(), unit_of_work():
        session = find_session(token, make.clock.now())
        if session is None:
            return "nobody"
        here = replace(make.here(), account_id=session.account_id, session_id=session.id)
        outcome = give_proof(here, session, Proof(code))
        return outcome.code if isinstance(outcome, Refusal) else "in"


def rows(app: Flask, statement: sa.Select[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.execute(statement))
        db.session.remove()
        return found


def test_of_fifty_uses_of_one_code_at_once_one_succeeds(make: Make, aida: Someone, clock: SetClock) -> None:
    code = code_at(clock)
    answers = at_once(make, lambda: spend_code(make.here(), aida.id, code))
    assert answers == {"one-time": 1, None: HANDS - 1}


def test_of_fifty_uses_of_one_recovery_code_at_once_one_succeeds(make: Make, aida: Someone) -> None:
    code = aida.recovery_codes[0]
    answers = at_once(make, lambda: spend_code(make.here(), aida.id, code))
    assert answers == {"recovery": 1, None: HANDS - 1}


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, None), (-1, "one-time"), (0, "one-time"), (1, "one-time"), (2, None)]
)
def test_a_clock_may_be_off_by_one_step(
    make: Make, aida: Someone, clock: SetClock, steps: int, taken: str | None
) -> None:
    assert spend(make, aida, code_at(clock, steps)) == taken


def test_a_code_before_the_last_one_used_is_used_up_too(make: Make, aida: Someone, clock: SetClock) -> None:
    assert spend(make, aida, code_at(clock, 1)) == "one-time"
    assert spend(make, aida, code_at(clock)) is None
    clock.advance(seconds=60)
    assert spend(make, aida, code_at(clock)) == "one-time"


def test_somebody_elses_codes_open_nothing(make: Make, aida: Someone, clock: SetClock) -> None:
    other = make.account("kanat")
    assert spend(make, other, code_at(clock)) is None
    assert spend(make, other, aida.recovery_codes[0]) is None
    assert spend(make, aida, "") is None


def test_codes_and_seeds_are_not_in_the_database(make: Make, app: Flask, aida: Someone) -> None:
    (factor,) = rows(app, sa.select(Factor.seed))
    assert SEED.encode() not in factor.seed
    kept = {row.digest for row in rows(app, sa.select(RecoveryCode.digest))}
    assert not kept & {form(code) for code in aida.recovery_codes for form in (str, digest)}


def test_a_right_code_finishes_the_sign_in_under_a_new_id(
    make: Make, app: Flask, aida: Someone, clock: SetClock
) -> None:
    half = password(make)
    assert rows(app, sa.select(Session.amr)) == [(["pwd"],)]
    assert give(make, half, code_at(clock)) == "in"
    assert rows(app, sa.select(Session.amr, Session.ended_at)) == [(["pwd", "otp", "mfa"], None)]
    assert give(make, half, code_at(clock, 1)) == "nobody"
    acts = [row.act for row in rows(app, sa.select(AuditRecord.act).order_by(AuditRecord.number))]
    assert acts[-2:] == ["password-accepted", "signed-in"]


def test_wrong_codes_lock_like_wrong_passwords_and_the_password_between_does_not_help(
    make: Make, app: Flask, aida: Someone, clock: SetClock
) -> None:
    assert password(make, entered="Wrong 1 password") == "wrong"
    assert give(make, password(make), wrong_code(clock)) == "wrong-code"
    assert give(make, password(make), wrong_code(clock)) == "wrong-code"
    half = password(make)
    assert give(make, half, wrong_code(clock)) == "locked"
    assert give(make, half, code_at(clock)) == "nobody"
    assert password(make) == "locked"
    assert {row.end_reason for row in rows(app, sa.select(Session.end_reason))} >= {"locked"}
    tell_locks(make)
    assert [row.template for row in rows(app, sa.select(Message.template))] == ["locked"]


def test_a_whole_sign_in_forgets_the_wrong_ones(make: Make, app: Flask, aida: Someone, clock: SetClock) -> None:
    half = password(make)
    for _ in range(3):
        assert give(make, half, wrong_code(clock)) == "wrong-code"
    assert give(make, half, code_at(clock)) == "in"
    assert rows(app, sa.select(Lockout.attempts)) == [(0,)]


def test_of_fifty_wrong_codes_at_once_three_are_answered_as_wrong(make: Make, aida: Someone, clock: SetClock) -> None:
    half, code = password(make), wrong_code(clock)
    with make.app.app_context():
        session = find_session(half, clock.now())
    assert session is not None

    def guess() -> str:
        outcome = give_proof(make.here(), session, Proof(code))
        return outcome.code if isinstance(outcome, Refusal) else "in"

    assert at_once(make, guess) == {"wrong-code": 3, "locked": HANDS - 3}


def test_a_new_set_of_recovery_codes_voids_the_old(make: Make, aida: Someone) -> None:
    with make.app.app_context(), unit_of_work():
        codes = new_recovery_codes(make.here(), db.session.get_one(Account, aida.id))
    assert len(set(codes)) == 10
    assert spend(make, aida, aida.recovery_codes[0]) is None
    assert spend(make, aida, codes[0].lower()) == "recovery"
    with make.app.app_context():
        assert recovery_codes_left(aida.id) == 9
        db.session.remove()


def reset(
    make: Make, officer: Someone, whom: Someone, department: str | None = "0407", reason: str = "passport"
) -> Any:
    who = Who(str(officer.id), (Appointment("officer", department, None, make.clock.now(), None),))
    with make.app.app_context(), unit_of_work():
        here = Here(service=make.service, now=make.clock.now(), actor="account/bakyt", request_id="r", who=who)
        return reset_factors(here, db.session.get_one(Account, whom.id), reason)


def test_an_officer_of_the_department_removes_lost_factors_and_a_lock_stays(
    make: Make, app: Flask, aida: Someone, clock: SetClock
) -> None:
    bakyt, half = make.officer(), password(make)
    elsewhere = password(make)
    for _ in range(4):
        give(make, half, wrong_code(clock))
    assert reset(make, bakyt, aida, reason=" ") == Refusal("reset-reason-required")
    assert reset(make, bakyt, aida) is Reset.DONE
    assert reset(make, bakyt, aida) == Refusal("no-factor")
    with app.app_context():
        assert (factors_of(aida.id), recovery_codes_left(aida.id)) == ([], 0)
        db.session.remove()
    assert password(make) == "locked"
    assert give(make, elsewhere, code_at(clock)) == "nobody"
    assert "factors_changed" in {row.template for row in rows(app, sa.select(Message.template))}
    (told,) = rows(app, sa.select(AuditRecord.before, AuditRecord.after).where(AuditRecord.act == "factors-reset"))
    assert (told.before, told.after) == ({"factor": ["Phone"], "kind": ["totp"]}, {"factor": [], "reason": "passport"})


def test_nobody_else_removes_them(make: Make, aida: Someone) -> None:
    bakyt = make.officer()
    with pytest.raises(Forbidden):
        reset(make, bakyt, aida, department="0112")
    with pytest.raises(Forbidden):
        reset(make, bakyt, bakyt)
