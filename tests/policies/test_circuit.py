"""A system in which nothing works is left alone, longer and longer (3.5, 3.7)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.circuit import CircuitRules, counts, rest

RULES = CircuitRules()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("outcome", "failures", "long"),
    [
        ("auth", 1, 60 * MINUTE),
        ("retryable", 9, None),
        ("retryable", 10, MINUTE),
        ("unknown", 11, 2 * MINUTE),
        ("retryable", 15, 32 * MINUTE),
        ("retryable", 16, 60 * MINUTE),
        ("conflict", 99, None),
        ("throttled", 99, None),
    ],
)
def test_how_long_it_rests(outcome: str, failures: int, long: timedelta | None) -> None:
    assert rest(outcome, failures, RULES) == long


@given(st.sampled_from(["auth", "retryable", "unknown", "conflict", "permanent"]), st.integers(1, 10_000))
def test_more_failures_never_shorten_the_rest_and_it_has_an_end(outcome: str, failures: int) -> None:
    nothing = timedelta(0)
    one, next_one = (rest(outcome, number, RULES) or nothing for number in (failures, failures + 1))
    assert one <= next_one <= RULES.longest
    assert counts(outcome) or not next_one
