"""Advice while typing, suggested passphrases, and passwords that open something else (Regulation 5.1)."""

from typing import Any

import pytest

from idp.db import unit_of_work
from idp.errors import Busy
from idp.flows.choose_password import advise, choose_password
from idp.flows.refusal import Refusal
from idp.flows.suggest_password import suggest_password
from policies.passwords import Broken
from tests.builders import Make, Someone

GOOD = "Ысык-Көл 2026 tolkun"


def advice(make: Make, password: str, aida: Someone | None = None) -> tuple[set[str], int]:
    aida = aida or make.account()
    with make.app.app_context():
        broken, score = advise(make.here(), aida.id, password)
        return {rule.value for rule in broken}, score


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("", {"too-short", "no-digit", "no-lower", "no-upper", "no-special"}),
        ("Password1!", {"repeated", "common"}),
        ("Aida-2026-tolkun", {"personal"}),
        (GOOD, set()),
    ],
)
def test_advice_names_every_rule_that_can_be_told_at_once(make: Make, password: str, broken: set[str]) -> None:
    assert advice(make, password)[0] == broken


def test_advice_measures_strength_and_takes_its_time_with_nothing(make: Make) -> None:
    aida = make.account()
    assert [advice(make, password, aida)[1] for password in ("", "Password1!", GOOD)] == [0, 1, 4]
    assert advice(make, "x" * 1_000_000, aida)[0] >= {"too-long"}


def test_a_suggestion_is_taken_and_no_two_are_alike(make: Make) -> None:
    aida = make.account()
    with make.app.app_context():
        made = [suggest_password(make.here(), aida.id) for _ in range(20)]
        assert len(set(made)) == 20
        assert isinstance(choose_password(make.here(), aida.id, made[0], made[0]), str)


def choose(make: Make, password: str, check: Any) -> str | Refusal:
    aida = make.account()
    make.service.password_checks[:] = [check]
    with make.app.app_context(), unit_of_work():
        return choose_password(make.here(), aida.id, password, password)


def test_the_password_of_another_service_is_refused_and_it_is_asked_only_once_nothing_else_is_wrong(make: Make) -> None:
    asked: list[tuple[str, str]] = []

    def check(login: str, password: str) -> bool:
        asked.append((login, password))
        return True

    assert choose(make, GOOD, check) == Refusal("password", {"broken": [Broken.OTHER_SERVICE.value]})
    assert asked == [("aida", GOOD)]


def test_what_can_not_be_checked_is_not_allowed(make: Make) -> None:
    def down(login: str, password: str) -> bool:
        raise Busy

    with pytest.raises(Busy):
        choose(make, GOOD, down)


def test_a_password_that_breaks_a_rule_is_shown_to_no_other_service(make: Make) -> None:
    def never(login: str, password: str) -> bool:
        raise AssertionError("asked")

    refusal = choose(make, "aaa", never)
    assert isinstance(refusal, Refusal) and "repeated" in refusal.details["broken"]
