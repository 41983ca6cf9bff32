"""Regulation 5.7: more than three times."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.lockout import Door, LockoutRules, door, is_alarming


def test_three_wrong_passwords_are_forgiven_the_fourth_locks_and_then_the_door_stays_shut() -> None:
    assert [door(attempt, LockoutRules()) for attempt in range(1, 7)] == [
        Door.OPEN, Door.OPEN, Door.OPEN, Door.LAST, Door.SHUT, Door.SHUT,
    ]  # fmt: skip


def test_the_number_of_failures_is_a_setting() -> None:
    assert [door(attempt, LockoutRules(allowed_failures=1)) for attempt in (1, 2, 3)] == [
        Door.OPEN, Door.LAST, Door.SHUT,
    ]  # fmt: skip


def test_ten_locks_within_ten_minutes_are_an_alarm() -> None:
    assert [is_alarming(locks, LockoutRules()) for locks in (9, 10, 11)] == [False, True, True]
    assert LockoutRules().alarm_window == timedelta(minutes=10)


@given(allowed=st.integers(1, 100), attempts=st.lists(st.integers(1, 200), min_size=1, max_size=50))
def test_of_all_attempts_those_allowed_are_answered_one_locks_and_the_rest_find_it_shut(
    allowed: int, attempts: list[int]
) -> None:
    rules = LockoutRules(allowed_failures=allowed)
    doors = [door(attempt, rules) for attempt in range(1, max(attempts) + 1)]
    assert doors.count(Door.OPEN) == min(allowed, len(doors))
    assert doors.count(Door.LAST) == (1 if len(doors) > allowed else 0)
    assert doors == sorted(doors, key=[Door.OPEN, Door.LAST, Door.SHUT].index)
