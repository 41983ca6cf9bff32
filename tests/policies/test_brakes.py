"""When an order waits for a second person."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.brakes import Brake, BrakeRules, Closings, brake, never_unasked
from policies.permissions import Appointment

RULES = BrakeRules()
COUNTS = st.integers(0, 5_000)


@pytest.mark.parametrize(
    ("accounts", "on_a_day", "privileged", "open_", "reason"),
    [
        (0, 500, False, 10, None),
        (1, 1, True, 10_000, Brake.PRIVILEGED),
        (25, 25, False, 10_000, None),
        (26, 26, False, 10_000, Brake.PER_ORDER),
        (3, 100, False, 10_000, None),
        (3, 101, False, 10_000, Brake.PER_DAY),
        (10, 10, False, 20, None),
        (11, 11, False, 20, Brake.SHARE),
        (11, 11, False, 550, None),
    ],
)
def test_what_is_too_much(accounts: int, on_a_day: int, privileged: bool, open_: int, reason: Brake | None) -> None:
    assert brake(Closings(accounts, on_a_day, privileged, open_), RULES) is reason


@given(few=COUNTS, more=COUNTS, others=COUNTS, open_=COUNTS)
def test_what_waits_still_waits_when_more_would_close(few: int, more: int, others: int, open_: int) -> None:
    if few and brake(Closings(few, few + others, False, open_), RULES):
        assert brake(Closings(few + more, few + more + others, False, open_), RULES)


@pytest.mark.parametrize(
    ("role", "department", "days", "waits"),
    [
        ("admin", "0407", 1, True),
        ("security", None, 1, True),
        ("admin", "0407", 0, False),
        ("officer", "0407", 1, False),
        ("hr", "RECTORATE", 1, True),
    ],
)
def test_whose_account_never_closes_by_an_order_alone(role: str, department: str, days: int, waits: bool) -> None:
    now = datetime(2026, 9, 7, 8, tzinfo=UTC)
    duties = [Appointment(role, None, None, now - timedelta(days=9), now + timedelta(days=days))]
    assert never_unasked(duties, department, BrakeRules(departments=frozenset({"RECTORATE"})), now) is waits
