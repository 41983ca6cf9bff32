"""When a run of wrong passwords locks a login.  Regulation 5.7.

Owns the threshold.  Leaves alone the counting (one atomic statement elsewhere) and lifting (`permissions`).
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """Regulation 5.7: "more than three times", so three failures are allowed."""

    allowed_failures: int = 3


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
