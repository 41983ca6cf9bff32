"""Back-off after the outcomes of the connector contract."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.retry import OUTCOMES, RetryRules, delay, next_attempt

RULES = RetryRules()
NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
JITTER = st.floats(0, 1, exclude_max=True)


def after(outcome: str, attempt: int = 1, age: timedelta = timedelta(), retry_after: float | None = None,
          jitter: float = 0.0) -> timedelta | None:  # fmt: skip
    then = next_attempt(outcome, attempt, NOW - age, NOW, jitter, retry_after, RULES)
    return None if then is None else then - NOW


def test_delays_double_from_half_a_minute_to_an_hour() -> None:
    seconds = [delay(attempt, 0.0, RULES).total_seconds() for attempt in range(1, 10)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@given(st.integers(-5, 10**9), JITTER)
def test_jitter_takes_off_at_most_half_and_nothing_ever_overflows(attempt: int, jitter: float) -> None:
    full = delay(attempt, 0.0, RULES)
    assert full / 2 <= delay(attempt, jitter, RULES) <= full <= RULES.longest


@pytest.mark.parametrize("outcome", ["retryable", "unknown"])
def test_a_passing_failure_is_tried_again_for_three_days(outcome: str) -> None:
    assert after(outcome, attempt=2) == timedelta(minutes=1)
    assert after(outcome, attempt=80, age=RULES.give_up_after - RULES.longest) == RULES.longest
    assert after(outcome, attempt=80, age=RULES.give_up_after) is None


def test_a_target_that_names_a_time_is_not_asked_before_it() -> None:
    assert after("retryable", retry_after=600.0) == timedelta(minutes=10)
    assert after("retryable", retry_after=1.0) == timedelta(seconds=30)
    assert after("throttled", retry_after=600.0) == timedelta(minutes=10)
    assert after("throttled", retry_after=600.0, jitter=0.5) == timedelta(minutes=10, seconds=15)


def test_being_throttled_never_gives_up() -> None:
    assert after("throttled", attempt=9, age=timedelta(days=30)) == timedelta(hours=1)


@pytest.mark.parametrize("nonsense", [float("nan"), -5.0, float("-inf")])
def test_a_nonsensical_waiting_time_is_no_waiting_time(nonsense: float) -> None:
    assert after("throttled", retry_after=nonsense) == timedelta(0)


def test_nobody_makes_us_wait_for_ever() -> None:
    assert after("throttled", retry_after=float("inf")) == RULES.give_up_after


def test_broken_rights_keep_the_queue_and_are_tried_once_an_hour() -> None:
    assert after("auth", attempt=50, age=timedelta(days=30)) == timedelta(hours=1)


@pytest.mark.parametrize("outcome", ["conflict", "not-found"])
def test_a_surprise_is_looked_at_once_more_and_then_by_a_person(outcome: str) -> None:
    assert after(outcome) == timedelta(seconds=30)
    assert after(outcome, attempt=2) is None


def test_what_is_refused_for_good_goes_to_a_person() -> None:
    assert after("permanent") is None


def test_an_outcome_nobody_has_thought_of_is_an_error() -> None:
    with pytest.raises(KeyError):
        after("maybe")


@given(st.sampled_from(sorted(OUTCOMES)), st.integers(1, 1000), JITTER, st.none() | st.floats(),
       st.timedeltas(timedelta(0), timedelta(days=10)))  # fmt: skip
def test_the_next_try_is_never_in_the_past(
    outcome: str, attempt: int, jitter: float, retry_after: float | None, age: timedelta
) -> None:
    wait = after(outcome, attempt, age, retry_after, jitter)
    assert wait is None or wait >= timedelta(0)
