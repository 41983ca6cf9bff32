"""Who must have a second factor, and how codes are read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.factors import (
    RECOVERY_LENGTH,
    FactorRules,
    in_groups,
    is_one_time_code,
    officers_needed,
    read_code,
    required,
)
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


@given(code=st.text("0123456789", min_size=RECOVERY_LENGTH, max_size=RECOVERY_LENGTH))
def test_a_recovery_code_is_read_as_it_is_shown_and_is_no_one_time_code(code: str) -> None:
    assert read_code(in_groups(code)) == read_code(f"  {in_groups(code)} ".replace("-", " - ")) == code
    assert not is_one_time_code(code)


@given(entered=st.text(max_size=100))
def test_what_is_read_is_plain_and_short_and_reading_it_again_changes_nothing(entered: str) -> None:
    read = read_code(entered)
    assert read.isascii() and len(read) <= RECOVERY_LENGTH and read_code(read) == read


@given(role=st.text(max_size=10), days=st.integers(-5, 5))
def test_whoever_must_have_a_factor_needs_two_officers_to_lose_it(role: str, days: int) -> None:
    one = appointed(role, NOW + days * DAY)
    assert officers_needed([one], NOW) == (2 if required([one], FactorRules(), NOW) else 1)
    assert officers_needed([], NOW) == 1
