"""Who is reminded of what is due and overdue, and when.  Regulation 3.1, 3.5, 3.7.

Owns the hour of reminders, and from when ООЦИ hears of it as well.  Leaves alone the deadlines (`deadlines`) and the
counting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from policies.deadlines import ONE_DAY, Calendar, local_day
from policies.permissions import Appointment, is_current

HOUR = 8  # local; before it people are not at work


@dataclass(frozen=True, slots=True)
class Load:
    """Open tasks of one system and department; `department` None: of all departments, each task once.

    `today`: due today; `overdue`: since earlier; `escalated`: of those, for longer than an officer is given;
    `stuck`: due or overdue, and no officer's, since a connector still tries.
    """

    system: str
    department: str | None
    today: int = 0
    overdue: int = 0
    escalated: int = 0
    stuck: int = 0


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody is told: their own work, and what others have left."""

    today: int
    overdue: int
    escalated: int = 0
    stuck: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.today or self.overdue or self.escalated or self.stuck)


def is_time_to_remind(now: datetime, calendar: Calendar, zone: ZoneInfo) -> bool:
    """On working days, when people have come to work."""
    return now.astimezone(zone).hour >= HOUR and calendar.is_working(local_day(now, zone))


def escalates_before(today: date, calendar: Calendar) -> date:
    """What was due before this day has been overdue for a whole working day: ООЦИ is told."""
    day = today - ONE_DAY
    while not calendar.is_working(day):
        day -= ONE_DAY
    return day


def reminder(appointments: Iterable[Appointment], loads: Iterable[Load], now: datetime) -> Reminder:
    """What whoever holds `appointments` is told of `loads`.

    An officer hears of the systems and departments of each appointment, ООЦИ of what has been left for too long and of
    what no connector brought about.
    """
    current, told = [one for one in appointments if is_current(one, now)], list(loads)
    own = _without_parts({load for one in current if one.role == "officer" for load in told if _reaches(one, load)})
    whole = [load for load in told if load.department is None] if any(one.role == "admin" for one in current) else []
    return Reminder(
        today=sum(load.today for load in own),
        overdue=sum(load.overdue for load in own),
        escalated=sum(load.escalated for load in whole),
        stuck=sum(load.stuck for load in whole),
    )


def _without_parts(loads: set[Load]) -> set[Load]:
    """Where a system counts as a whole, its departments are in it already."""
    whole = {load.system for load in loads if load.department is None}
    return {load for load in loads if load.department is None or load.system not in whole}


def _reaches(appointment: Appointment, load: Load) -> bool:
    """Loads of all departments are for who is appointed to all of them."""
    return appointment.system in (None, load.system) and appointment.department == load.department
