"""Passkeys: made once, each answer good once, checked in full; a locked login stays locked (WebAuthn L3, 7; ASVS 6.5)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.change_factors import Enrolled, enrol_passkey
from idp.flows.passkey_sign_in import sign_in_by_passkey
from idp.flows.passkeys import (
    Ceremony,
    authentication_options,
    find_passkey,
    registration_options,
    verify_passkey,
)
from idp.flows.refusal import Refusal
from idp.flows.second_factor import Proof, prove
from idp.flows.sessions import Holder, find_session
from idp.flows.sign_in import SignedIn, sign_in
from idp.models import Account, Factor, Lockout
from tests.authenticator import Authenticator
from tests.builders import PASSWORD, Make, Someone

ENROL, ALONE, SECOND = (Ceremony(purpose, "a browser") for purpose in ("enrol", "sign-in", "second-factor"))
HANDS = 50


def registration(make: Make, whom: Someone) -> dict[str, Any]:
    with make.app.app_context():
        asked = registration_options(make.here(), ENROL, db.session.get_one(Account, whom.id))
        db.session.remove()
        return asked


def register(make: Make, whom: Someone, answer: str) -> Enrolled | Refusal:
    with make.app.app_context(), unit_of_work():
        return enrol_passkey(make.here(), whom.id, ENROL, "Phone", answer)


def enrol(make: Make, whom: Someone, device: Authenticator) -> Enrolled | Refusal:
    return register(make, whom, device.make(registration(make, whom)))


def options(make: Make, ceremony: Ceremony = ALONE, whom: Someone | None = None) -> dict[str, Any]:
    with make.app.app_context():
        return authentication_options(make.here(), ceremony, whom.id if whom else None)


def alone(make: Make, answer: str, ceremony: Ceremony = ALONE) -> str:
    """The classes of proof of the new session, or the refusal."""
    with make.app.app_context(), unit_of_work():
        outcome = sign_in_by_passkey(make.here(), ceremony, answer)
        if isinstance(outcome, Refusal):
            return outcome.code
    with make.app.app_context():
        session = find_session(outcome.token, make.clock.now())
        assert session is not None and session.login == outcome.account.login
        return " ".join(session.amr)


def second(make: Make, whom: Someone, answer: str) -> str:
    with make.app.app_context(), unit_of_work():
        means = prove(make.here(), Holder(whom.id, whom.login), Proof(passkey=answer, ceremony=SECOND))
        return means.code if isinstance(means, Refusal) else means


def attempts(make: Make, whom: Someone) -> int:
    with make.app.app_context():
        return db.session.scalar(sa.select(Lockout.attempts).where(Lockout.login == whom.login)) or 0


def at_once(act: Callable[[], str]) -> Counter[str]:
    start = Barrier(HANDS)

    def hand(_: int) -> str:
        start.wait()
        return act()

    with ThreadPoolExecutor(HANDS) as pool:
        return Counter(pool.map(hand, range(HANDS)))


@pytest.fixture
def device(make: Make, aida: Someone) -> Authenticator:
    device = Authenticator()
    assert isinstance(enrol(make, aida, device), Enrolled)
    return device


@pytest.fixture
def aida(make: Make) -> Someone:
    return make.account("aida")


def test_the_first_passkey_brings_recovery_codes_and_the_password_alone_is_half_a_sign_in_from_then_on(
    make: Make, aida: Someone
) -> None:
    first = enrol(make, aida, Authenticator())
    assert isinstance(first, Enrolled) and len(first.recovery_codes) == 10
    again = enrol(make, aida, Authenticator())
    assert isinstance(again, Enrolled) and again.recovery_codes == ()
    with make.app.app_context(), unit_of_work():
        outcome = sign_in(make.here(), "aida", PASSWORD)
        assert isinstance(outcome, SignedIn) and outcome.account.factors == 2


def test_it_signs_in_alone_as_two_factors_and_forgets_wrong_attempts(
    make: Make, aida: Someone, device: Authenticator
) -> None:
    with make.app.app_context(), unit_of_work():
        sign_in(make.here(), "aida", "wrong")
    assert alone(make, device.prove(options(make))) == "pop user mfa"
    assert attempts(make, aida) == 0


def test_it_is_a_second_factor_after_the_password(make: Make, aida: Someone, device: Authenticator) -> None:
    assert second(make, aida, device.prove(options(make, SECOND, aida))) == "passkey"
    asked = options(make, SECOND, aida)
    assert [one["id"] for one in asked["allowCredentials"]] != []
    bermet = make.account("bermet")
    assert second(make, bermet, device.prove(asked)) == "wrong-passkey", "somebody else's"


def test_of_fifty_uses_of_one_answer_at_once_one_succeeds(make: Make, aida: Someone, device: Authenticator) -> None:
    device.counts = False
    with make.app.app_context(), unit_of_work():
        db.session.execute(sa.update(Factor).values(sign_count=0))
    device.count = 0
    answer = device.prove(options(make))

    def use() -> str:
        with make.app.app_context():
            passkey = find_passkey(answer)
            assert passkey is not None
            return "used" if verify_passkey(make.here(), ALONE, answer, passkey, alone=True) == 0 else "refused"

    assert at_once(use) == {"used": 1, "refused": HANDS - 1}
    assert at_once(lambda: alone(make, answer))["pop user mfa"] == 0


def test_of_fifty_registrations_with_one_answer_at_once_one_counts(make: Make, aida: Someone) -> None:
    answer = Authenticator().make(registration(make, aida))
    answers = at_once(lambda: type(register(make, aida, answer)).__name__)
    assert answers == {"Enrolled": 1, "Refusal": HANDS - 1}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"origin": "http://localhost.example"},
        {"origin": "http://localhost:8080"},
        {"type": "webauthn.create"},
        {"challenge": "AAAA"},
    ],
)
def test_what_the_browser_tells_must_be_right(
    make: Make, aida: Someone, device: Authenticator, spoilt: dict[str, str]
) -> None:
    assert alone(make, device.prove(options(make), **spoilt)) == "wrong-passkey"
    assert attempts(make, aida) == 1, "an attempt like any other"


def test_the_device_must_speak_for_us_and_sign_with_its_key(make: Make, aida: Someone, device: Authenticator) -> None:
    other = replace(device, rp_id="example.org")
    assert alone(make, other.prove(options(make))) == "wrong-passkey"
    forged = replace(Authenticator(), credential_id=device.credential_id, handle=device.handle, count=30)
    assert alone(make, forged.prove(options(make))) == "wrong-passkey"


def test_a_device_that_does_not_know_its_owner_is_enough_after_a_password_only(
    make: Make, aida: Someone, device: Authenticator
) -> None:
    careless = replace(device, verifies=False, count=10)
    assert second(make, aida, careless.prove(options(make, SECOND, aida))) == "passkey", "after a password it is enough"
    assert alone(make, replace(careless, count=20).prove(options(make))) == "wrong-passkey"


def test_a_challenge_is_good_for_its_purpose_its_browser_and_ten_minutes(
    make: Make, aida: Someone, device: Authenticator, clock: SetClock
) -> None:
    assert alone(make, device.prove(options(make, SECOND))) == "wrong-passkey"
    assert alone(make, device.prove(options(make, replace(ALONE, browser="another")))) == "wrong-passkey"
    asked = options(make)
    clock.moment += timedelta(minutes=10)
    assert alone(make, device.prove(asked)) == "wrong-passkey"


def test_an_answer_holds_once_and_a_copied_key_falls_behind(make: Make, aida: Someone, device: Authenticator) -> None:
    copy = replace(device)
    answer = device.prove(options(make))
    assert [alone(make, answer), alone(make, answer)] == ["pop user mfa", "wrong-passkey"]
    assert alone(make, device.prove(options(make))) == "pop user mfa"
    assert alone(make, copy.prove(options(make))) == "wrong-passkey"


def test_a_locked_login_stays_locked_and_wrong_answers_lock_it(
    make: Make, aida: Someone, device: Authenticator
) -> None:
    answers = [alone(make, device.prove(options(make), origin="http://evil.example")) for _ in range(4)]
    assert answers == ["wrong-passkey"] * 3 + ["locked"]
    assert alone(make, device.prove(options(make))) == "locked"


def test_a_closed_account_is_told_so_and_a_removed_passkey_is_unknown(
    make: Make, aida: Someone, device: Authenticator, app: Flask
) -> None:
    make.close(aida)
    assert alone(make, device.prove(options(make))) == "closed"
    with app.app_context(), unit_of_work():
        db.session.execute(sa.delete(Factor))
    assert alone(make, device.prove(options(make))) == "wrong-passkey"


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", '{"id": 7}', '{"id": "a\\u0000b"}', "x" * 100_000, "{" * 5_000]
)
def test_whatever_is_no_answer_is_refused(make: Make, aida: Someone, device: Authenticator, answer: str) -> None:
    assert alone(make, answer) == "wrong-passkey"
    assert second(make, aida, answer or " ") == "wrong-passkey"
    assert isinstance(register(make, aida, answer), Refusal)


def test_a_passkey_that_is_registered_already_is_not_taken_again(
    make: Make, aida: Someone, device: Authenticator
) -> None:
    assert enrol(make, make.account("bermet"), device) == Refusal("wrong-passkey")
