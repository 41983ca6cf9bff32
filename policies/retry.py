"""When a call to a target system is tried again, and when a person must look.  Regulation 3.5, 3.7.

Owns back-off and giving up, after the outcomes of the connector contract.  Leaves alone the connector's circuit
(quarantine) and the brakes.  Attempts count from 1 and mean the one that has just failed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# Beyond this many doublings any delay has long reached its ceiling; it keeps the arithmetic finite.
MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class RetryRules:
    """First delay, its ceiling, and the age of the first try at which retrying stops."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What is known when a call has failed; `retry_after` in seconds, as the target said."""

    attempt: int
    first_tried_at: datetime
    now: datetime
    jitter: float
    retry_after: float | None


def delay(attempt: int, jitter: float, rules: RetryRules) -> timedelta:
    """Doubling from `first` to `longest`; jitter in [0, 1) takes off up to half, so that a crowd spreads out."""
    doublings = min(max(attempt - 1, 0), MOST_DOUBLINGS)
    seconds = min(rules.first.total_seconds() * 2**doublings, rules.longest.total_seconds())
    return timedelta(seconds=seconds * (1 - jitter / 2))


def next_attempt(
    outcome: str,
    attempt: int,
    first_tried_at: datetime,
    now: datetime,
    jitter: float,
    retry_after: float | None,
    rules: RetryRules,
) -> datetime | None:
    """The moment of the next try; None: a person must look.  KeyError for an outcome the contract does not know."""
    return OUTCOMES[outcome](_Failure(attempt, first_tried_at, now, jitter, retry_after), rules)


def _back_off(failure: _Failure, rules: RetryRules) -> datetime | None:
    """Wait longer each time; give up when the next try would come too long after the first."""
    wait = max(delay(failure.attempt, failure.jitter, rules), _asked_for(failure, rules))
    next_at = failure.now + wait
    return next_at if next_at <= failure.first_tried_at + rules.give_up_after else None


def _wait_as_told(failure: _Failure, rules: RetryRules) -> datetime | None:
    """Slow down as the target asks, a little spread; being throttled is nobody's failure, so never give up."""
    if failure.retry_after is None:
        return failure.now + delay(failure.attempt, failure.jitter, rules)
    return failure.now + _asked_for(failure, rules) + rules.first * failure.jitter


def _once_an_hour(failure: _Failure, rules: RetryRules) -> datetime | None:
    """The connector's rights are broken, not this task: keep it in the queue until a person repairs them."""
    return failure.now + rules.longest


def _look_once(failure: _Failure, rules: RetryRules) -> datetime | None:
    """It may have been our own earlier try: find and plan once more, then a person."""
    return failure.now + delay(1, failure.jitter, rules) if failure.attempt <= 1 else None


def _never(failure: _Failure, rules: RetryRules) -> datetime | None:
    """Repeating what was refused for its content changes nothing."""
    return None


def _asked_for(failure: _Failure, rules: RetryRules) -> timedelta:
    """What the target asked us to wait: none when it said nothing or nonsense, no longer than we keep trying."""
    # max(0, NaN) is 0 in this order of arguments
    return timedelta(seconds=min(max(0.0, failure.retry_after or 0.0), rules.give_up_after.total_seconds()))


OUTCOMES: Mapping[str, Callable[[_Failure, RetryRules], datetime | None]] = {
    "retryable": _back_off,
    "unknown": _back_off,  # safe to repeat: every try begins by finding what is there
    "throttled": _wait_as_told,
    "auth": _once_an_hour,
    "conflict": _look_once,
    "not-found": _look_once,
    "permanent": _never,
}
