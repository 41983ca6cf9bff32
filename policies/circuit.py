"""When a system is left alone for a while because nothing works there.  Regulation 3.5, 3.7.

Owns when a circuit opens, and for how long.  Leaves alone the single task (`retry`), and who is told.
"""

from dataclasses import dataclass
from datetime import timedelta

MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """So many failures in a row are `tolerated`; then the system rests, first for `first`, at most for `longest`."""

    tolerated: int = 10
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)


def rest(outcome: str, failures: int, rules: CircuitRules) -> timedelta | None:
    """How long the system is left alone after its `failures`-th failure in a row, whose outcome this was; None: not.

    What the system says of one account says nothing of the system; being refused altogether says it all.
    """
    if outcome == "auth":
        return rules.longest
    if outcome not in ("retryable", "unknown") or failures < rules.tolerated:
        return None
    doublings: int = min(failures - rules.tolerated, MOST_DOUBLINGS)
    return min(rules.first * (1 << doublings), rules.longest)


def counts(outcome: str) -> bool:
    """Whether it is a failure of the system, and not about one account or a request to slow down."""
    return outcome in ("auth", "retryable", "unknown")
