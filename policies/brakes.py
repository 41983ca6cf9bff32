"""Orders that would close more than a slip of the hand may: they wait for a second person.  Regulation 3.7.

Carries out "Brakes" of the orders contract.  Owns how many are too many, and whose accounts never close by an order
alone.  Leaves alone the counting, and whom the second person is (`permissions`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from policies.permissions import Appointment, is_current

PRIVILEGED = frozenset({"admin", "security"})  # roles of appointments


@dataclass(frozen=True, slots=True)
class BrakeRules:
    """How many accounts may close unasked: by one order, on one day, in per cent of the open ones.

    Up to `least` closings no share is too large.  People of `departments` always wait.
    """

    per_order: int = 25
    per_day: int = 100
    percent: int = 2
    least: int = 10
    departments: frozenset[str] = frozenset()


class Brake(Enum):
    """Why an order waits; the value is the note on the order."""

    PRIVILEGED = "brake-privileged"
    PER_ORDER = "brake-order"
    PER_DAY = "brake-day"
    SHARE = "brake-share"


@dataclass(frozen=True, slots=True)
class Closings:
    """What an order would close: how many accounts, how many with those of other orders on the fullest day, whether
    somebody who may never be closed unasked is among them; and how many accounts are open."""

    accounts: int
    on_a_day: int
    privileged: bool
    open: int


def never_unasked(
    appointments: Iterable[Appointment], department: str | None, rules: BrakeRules, now: datetime
) -> bool:
    """Whether an account is never closed by an order alone: of an administrator, a security officer, or a department
    that always waits."""
    duties = {one.role for one in appointments if is_current(one, now)}
    return bool(duties & PRIVILEGED) or department in rules.departments


def brake(closings: Closings, rules: BrakeRules) -> Brake | None:
    """The first reason to wait."""
    if not closings.accounts:
        return None
    reasons = {
        Brake.PRIVILEGED: closings.privileged,
        Brake.PER_ORDER: closings.accounts > rules.per_order,
        Brake.PER_DAY: closings.on_a_day > rules.per_day,
        Brake.SHARE: closings.accounts > rules.least and closings.accounts * 100 > closings.open * rules.percent,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
