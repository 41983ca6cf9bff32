"""Deadlines in working days, and how a thing stands against its own.  Regulation 3.5, 3.7.

Owns the arithmetic of local days.  Leaves alone which days are holidays: they are handed in.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days off besides the weekend, and the days off that were declared working days."""

    holidays: frozenset[date]
    moved_working_days: frozenset[date]

    def is_working(self, day: date) -> bool:
        """Whether people work on this day; a moved working day beats both weekend and holiday."""
        return day in self.moved_working_days or (day.weekday() < SATURDAY and day not in self.holidays)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline together with how it was computed, so that it can be explained years later."""

    due_on: date  # the last local day in time
    due_at: datetime  # UTC; the local midnight that ends `due_on`, itself too late
    start: date
    working_days: int
    skipped: tuple[date, ...]  # days off between `start` and `due_on`

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON values, days and moments in ISO 8601."""
        return {
            "due_on": self.due_on.isoformat(),
            "due_at": self.due_at.isoformat(),
            "start": self.start.isoformat(),
            "working_days": self.working_days,
            "skipped": [day.isoformat() for day in self.skipped],
        }


class Standing(Enum):
    """How a thing stands against its deadline."""

    DUE = "due"
    DUE_TODAY = "due-today"
    OVERDUE = "overdue"
    KEPT = "kept"  # done in time
    LATE = "late"  # done, but too late


def deadline(start: date, working_days: int, calendar: Calendar, zone: ZoneInfo) -> Deadline:
    """The deadline that many working days after `start`; the start day itself is not counted.  Regulation 3.5."""
    day, left, skipped = start, working_days, []
    while left > 0:
        day += ONE_DAY
        if calendar.is_working(day):
            left -= 1
        else:
            skipped.append(day)
    return Deadline(day, start_of(day + ONE_DAY, zone), start, working_days, tuple(skipped))


def standing(due_at: datetime, done_at: datetime | None, now: datetime, zone: ZoneInfo) -> Standing:
    """How it stands now; `due_at` is the midnight that ends the last day, so that very moment is too late."""
    if done_at is not None:
        return Standing.KEPT if done_at < due_at else Standing.LATE
    if now >= due_at:
        return Standing.OVERDUE
    last_day = local_day(due_at - timedelta.resolution, zone)
    return Standing.DUE_TODAY if local_day(now, zone) == last_day else Standing.DUE


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The UTC moment at which the local day begins."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local calendar day on which a moment falls."""
    return moment.astimezone(zone).date()


def counted_from(opening: bool, approved_on: date, effective_on: date | None) -> date:
    """The day from which working days count: of an opening its approval (3.5), of all else the later of approval and
    the day it takes effect, since nothing may be closed before that (3.7)."""
    return approved_on if opening or effective_on is None else max(approved_on, effective_on)
