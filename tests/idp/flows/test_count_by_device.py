"""Lockout by device (5.7; OWASP device cookies): a stranger's guesses lock strangers out, not the owner."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.lift_lockout import lift_lockout
from idp.flows.refusal import Refusal
from idp.flows.report_misuse import report_misuse
from idp.flows.second_factor import Proof, give_proof
from idp.flows.sessions import find_session
from idp.flows.sign_in import SignedIn, sign_in
from idp.models import Account, KnownDevice, Lockout
from policies.lockout import Scope
from policies.permissions import Appointment, Who
from tests.builders import PASSWORD, SEED, Make, Someone

OWN, STRANGE = "her-phone", "somebody-s-phone"
WRONG = "Not-the-1-password"


@pytest.fixture(autouse=True)
def by_device(make: Make) -> None:
    """An institution that counts by device."""
    rules = make.service.profile.rules
    profile = replace(make.service.profile, rules=replace(rules, lockout=replace(rules.lockout, scope=Scope.DEVICE)))
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=profile)


def attempt(make: Make, device: str | None, password: str = WRONG, login: str = "aida") -> str:
    with make.app.app_context(), unit_of_work():
        outcome = sign_in(replace(make.here(), device=device), login, password)
        return outcome.code if isinstance(outcome, Refusal) else "in"


def code(make: Make, device: str, entered: str) -> str:
    """Sign in with the password, then answer the question for a code."""
    here = replace(make.here(), device=device)
    with make.app.app_context():
        with unit_of_work():
            outcome = sign_in(here, "aida", PASSWORD)
        if not isinstance(outcome, SignedIn):
            return outcome.code
        session = find_session(outcome.token, here.now)
        assert session is not None
        with unit_of_work():
            means = give_proof(here, session, Proof(code=entered))
            return means.code if isinstance(means, Refusal) else "in"


def lift(make: Make, whom: Someone) -> Refusal | None:
    with make.app.app_context(), unit_of_work():
        who = Who("officer", (Appointment("admin", None, None, make.clock.now(), None),))
        return lift_lockout(replace(make.here(), who=who), db.session.get_one(Account, whom.id), "passport shown")


def counters(app: Flask) -> list[tuple[bool, int, bool]]:
    """Of a known device or of the others, attempts, locked."""
    with app.app_context():
        rows = db.session.execute(sa.select(Lockout.device, Lockout.attempts, Lockout.locked_at)).all()
        db.session.remove()
    return sorted((device != "", attempts, locked_at is not None) for device, attempts, locked_at in rows)


def test_strangers_lock_strangers_out_and_the_owner_goes_on_at_her_own_device(make: Make, app: Flask) -> None:
    make.account("aida")
    assert attempt(make, OWN, PASSWORD) == "in"
    assert [attempt(make, STRANGE) for _ in range(4)] == ["wrong", "wrong", "wrong", "locked"]
    assert [attempt(make, one, PASSWORD) for one in (STRANGE, None, "third")] == ["locked"] * 3
    assert attempt(make, OWN, PASSWORD) == "in"


def test_a_known_device_is_locked_by_its_own_guesses_alone(make: Make, app: Flask) -> None:
    make.account("aida")
    assert attempt(make, OWN, PASSWORD) == "in"
    assert [attempt(make, OWN) for _ in range(4)] == ["wrong", "wrong", "wrong", "locked"]
    assert (attempt(make, OWN, PASSWORD), attempt(make, STRANGE, PASSWORD)) == ("locked", "in")


def test_of_many_parallel_guesses_at_a_known_device_three_are_answered(make: Make, app: Flask) -> None:
    make.account("aida")
    attempt(make, OWN, PASSWORD)
    start = Barrier(20)

    def hand(_: int) -> str:
        start.wait()
        return attempt(make, OWN)

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(hand, range(20))) == {"wrong": 3, "locked": 17}
    assert (True, True) in {(known, locked) for known, _, locked in counters(app)}


def test_a_device_of_somebody_else_is_not_known(make: Make) -> None:
    make.account("aida")
    make.account("bermet")
    assert attempt(make, OWN, PASSWORD, "bermet") == "in"
    assert [attempt(make, one) for one in (OWN, STRANGE, OWN, STRANGE)] == ["wrong"] * 3 + ["locked"]


def test_the_password_alone_makes_no_device_known_where_a_code_is_asked_for(make: Make) -> None:
    """Else whoever has the password would have three codes to guess with every fresh browser."""
    make.enrol(make.account("aida"))
    answers = [code(make, f"fresh-{place}", "000000") for place in range(5)]
    assert answers == ["wrong-code"] * 3 + ["locked"] * 2


def test_a_code_makes_the_device_known(make: Make) -> None:
    make.enrol(make.account("aida"))
    assert code(make, OWN, pyotp.TOTP(SEED).at(make.clock.now())) == "in"
    for _ in range(4):
        attempt(make, STRANGE)
    assert (attempt(make, OWN, PASSWORD), attempt(make, STRANGE, PASSWORD)) == ("in", "locked")


def test_lifting_opens_the_login_for_everybody(make: Make, app: Flask) -> None:
    aida = make.account("aida")
    attempt(make, OWN, PASSWORD)
    for device in (OWN, STRANGE):
        for _ in range(4):
            attempt(make, device)
    assert counters(app) == [(False, 4, True), (True, 4, True)]
    assert lift(make, aida) is None
    assert [attempt(make, one, PASSWORD) for one in (OWN, STRANGE)] == ["in", "in"]


def test_reported_misuse_locks_known_devices_too(make: Make, app: Flask) -> None:
    aida = make.account("aida")
    attempt(make, OWN, PASSWORD)
    with app.app_context(), unit_of_work():
        report_misuse(make.here(), db.session.get_one(Account, aida.id), "account")
    assert attempt(make, OWN, PASSWORD) == "locked"
    with app.app_context():
        assert db.session.scalars(sa.select(KnownDevice.digest)).all() == []


def test_a_device_is_known_for_so_long(make: Make, clock: SetClock) -> None:
    make.account("aida")
    attempt(make, OWN, PASSWORD)
    clock.advance(days=401)
    for _ in range(4):
        attempt(make, STRANGE)
    assert attempt(make, OWN, PASSWORD) == "locked"


def test_an_unknown_login_is_answered_like_a_known_one(make: Make) -> None:
    make.account("aida")
    for login in ("aida", "nobody"):
        answers = [attempt(make, STRANGE, login=login) for _ in range(5)]
        assert answers == ["wrong", "wrong", "wrong", "locked", "locked"]
