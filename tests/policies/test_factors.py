"""Who must have a second factor, and how codes are read."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.factors import FactorRules, in_groups, is_one_time_code, read_code, required
from policies.permissions import Appointment

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def appointed(role: str, until: datetime | None = None) -> Appointment:
    return Appointment(role, "0407", None, NOW - DAY, until)


@pytest.mark.parametrize("role", ["officer", "admin", "hr", "security"])
def test_whoever_may_act_for_others_must_have_a_second_factor(role: str) -> None:
    assert required([appointed(role)], FactorRules(), NOW)
    assert not required([appointed(role, until=NOW)], FactorRules(), NOW)
    assert not required([appointed(role)], FactorRules(required_for_officers=False), NOW)


def test_others_need_none() -> None:
    assert not required([], FactorRules(), NOW)


@pytest.mark.parametrize(
    ("entered", "code"),
    [(" 123 456 ", "123456"), ("abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS"), ("", "")],
)
def test_codes_are_read_as_people_type_them(entered: str, code: str) -> None:
    assert read_code(entered) == code


def test_nothing_endless_is_looked_at() -> None:
    assert len(read_code("A" * 1000)) == 16


@pytest.mark.parametrize(
    ("code", "is_one"), [("123456", True), ("12345", False), ("ABCDEF", False), ("1234567", False)]
)
def test_six_digits_are_a_one_time_code(code: str, is_one: bool) -> None:
    assert is_one_time_code(code) is is_one


def test_long_codes_stand_in_groups() -> None:
    assert in_groups("ABCDEFGHJK") == "ABCD-EFGH-JK"
