"""Codes that bring a device and its person together.  Regulation 5.7 (guessing is limited); RFC 8628.

Owns how the code to type looks, how long it is waited for, how often may be asked and guessed, and what a device is
told.  Leaves alone the counting (atomic statements elsewhere) and who may approve what.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that is read as a digit (RFC 8628, 6.1)
LENGTH = 8  # 34 bits: with five guesses in ten minutes nobody finds one that waits
NO_SIGNS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\u00a0\t")
LOOK_ALIKES = str.maketrans("ВСНКМРТХ", "BCHKMPTX")  # what a Cyrillic keyboard gives for the same picture


@dataclass(frozen=True, slots=True)
class DeviceRules:
    """`lifetime` of a code; `interval` in seconds between two polls, and by how many `slower` it gets when they come too
    fast; `guesses` wrong codes in a row, after which none is looked at until `rest` has passed since the last."""

    lifetime: timedelta = timedelta(minutes=10)
    interval: int = 5
    slower: int = 5
    guesses: int = 5
    rest: timedelta = timedelta(minutes=10)


RULES = DeviceRules()


class Poll(Enum):
    """What a device that asks is told; the values are the errors of RFC 8628, 3.5 and RFC 6749, 5.2."""

    APPROVED = "approved"
    SPENT = "invalid_grant"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    TOO_FAST = "slow_down"
    WAIT = "authorization_pending"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a device's request stands: seconds of `interval`, moments in UTC."""

    approved: bool
    denied: bool
    used: bool
    interval: int
    polled_at: datetime | None
    expires_at: datetime


def verdict(waiting: Waiting, now: datetime) -> Poll:
    """The first that holds; who was approved may fetch the tokens at once, however soon after the last poll."""
    if waiting.used:
        return Poll.SPENT
    if waiting.denied:
        return Poll.DENIED
    if now >= waiting.expires_at:
        return Poll.EXPIRED
    if waiting.approved:
        return Poll.APPROVED
    early = waiting.polled_at is not None and now < waiting.polled_at + timedelta(seconds=waiting.interval)
    return Poll.TOO_FAST if early else Poll.WAIT


def may_guess(attempt: int, rules: DeviceRules = RULES) -> bool:
    """Whether this attempt, counted from 1, is looked at."""
    return attempt <= rules.guesses


def read_user_code(entered: str) -> str | None:
    """What a person typed, without case, dashes and blanks; None when it can't be a code."""
    code = entered[:50].translate(NO_SIGNS).upper().translate(LOOK_ALIKES)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def shown(code: str) -> str:
    """A code as people read it: XXXX-XXXX."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"
