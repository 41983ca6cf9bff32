"""When a run of wrong passwords locks a login.  Regulation 5.7.

Owns the thresholds, also that of the alarm.  Leaves alone the counting (one atomic statement elsewhere) and lifting
(`permissions`).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Scope(Enum):
    """What one counter of wrong passwords belongs to."""

    LOGIN = "login"  # the Regulation's: whoever guesses, the login is locked for everybody
    DEVICE = "device"  # a device its owner has signed in with counts for itself, all others together


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """Regulation 5.7: "more than three times", so three failures are allowed.

    So many locks (`alarm`) within `alarm_window` are more than forgetfulness.  `same_wrong_once`: a password that was
    just wrong counts no second time, so that a program that keeps sending an old one does not lock its owner.
    """

    allowed_failures: int = 3
    scope: Scope = Scope.LOGIN
    same_wrong_once: bool = False
    alarm: int = 10
    alarm_window: timedelta = timedelta(minutes=10)


class Door(Enum):
    """How an attempt at a login is answered."""

    OPEN = "open"  # a wrong password is answered as wrong
    LAST = "last"  # a wrong password locks the login
    SHUT = "shut"  # even the right password is refused


def door(attempt: int, rules: LockoutRules) -> Door:
    """Where this attempt stands; attempts in a row count from 1."""
    if attempt <= rules.allowed_failures:
        return Door.OPEN
    return Door.LAST if attempt == rules.allowed_failures + 1 else Door.SHUT


def is_alarming(locks: int, rules: LockoutRules) -> bool:
    """Whether so many locks within the window are for the security officer to know."""
    return locks >= rules.alarm
