"""Regulation 5.7: more than three times."""

from datetime import timedelta

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
