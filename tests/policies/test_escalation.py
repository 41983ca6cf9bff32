"""Reminders come on working mornings; what is left for a working day goes to ООЦИ (3.5, 3.7)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.deadlines import Calendar
from policies.escalation import Load, Reminder, escalates_before, is_time_to_remind, reminder
from policies.permissions import Appointment

BISHKEK = ZoneInfo("Asia/Bishkek")
CALENDAR = Calendar(frozenset({date(2026, 8, 31)}), frozenset())
NOW = datetime(2026, 9, 9, 3, tzinfo=UTC)
LOADS = (
    Load("mail", None, today=3, overdue=4, escalated=2, stuck=5),
    Load("mail", "0407", today=2, overdue=3, escalated=1),
    Load("mail", "0112", today=1, overdue=1, escalated=1),
    Load("avn", None, today=1),
    Load("avn", "0407", today=1),
)


def appointed(role: str, department: str | None, system: str | None, days: int = 1) -> Appointment:
    return Appointment(role, department, system, NOW - timedelta(days=9), NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (datetime(2026, 9, 9, 1, 59, tzinfo=UTC), False),
        (datetime(2026, 9, 9, 2, tzinfo=UTC), True),
        (datetime(2026, 9, 12, 4, tzinfo=UTC), False),
        (datetime(2026, 8, 31, 4, tzinfo=UTC), False),
        (datetime(2026, 9, 8, 20, tzinfo=UTC), False),
    ],
)
def test_people_are_reminded_on_working_days_from_eight_on(moment: datetime, due: bool) -> None:
    assert is_time_to_remind(moment, CALENDAR, BISHKEK) is due


@pytest.mark.parametrize(
    ("today", "before"),
    [
        (date(2026, 9, 9), date(2026, 9, 8)),
        (date(2026, 9, 7), date(2026, 9, 4)),
        (date(2026, 9, 1), date(2026, 8, 28)),
    ],
)
def test_an_officer_has_one_working_day_more_before_it_is_escalated(today: date, before: date) -> None:
    assert escalates_before(today, CALENDAR) == before


@pytest.mark.parametrize(
    ("appointments", "told"),
    [
        ([appointed("officer", "0407", None)], Reminder(3, 3)),
        ([appointed("officer", "0407", "mail")], Reminder(2, 3)),
        ([appointed("officer", None, "mail")], Reminder(3, 4)),
        ([appointed("officer", None, None)], Reminder(4, 4)),
        ([appointed("officer", "0407", "mail"), appointed("officer", "0407", None)], Reminder(3, 3)),
        ([appointed("officer", "0407", "mail"), appointed("officer", "0112", "mail")], Reminder(3, 4)),
        ([appointed("officer", None, "mail"), appointed("officer", "0407", None)], Reminder(4, 4)),
        ([appointed("admin", None, None)], Reminder(0, 0, 2, 5)),
        ([appointed("officer", "0407", None, days=0)], Reminder(0, 0)),
        ([appointed("hr", None, None)], Reminder(0, 0)),
        ([], Reminder(0, 0)),
    ],
)
def test_whom_what_is_told(appointments: list[Appointment], told: Reminder) -> None:
    assert reminder(appointments, LOADS, NOW) == told


def test_who_has_nothing_to_do_is_told_nothing() -> None:
    assert not Reminder(0, 0)
    assert all(map(bool, (Reminder(1, 0), Reminder(0, 1), Reminder(0, 0, 1), Reminder(0, 0, 0, 1))))


@given(st.dates(date(2020, 1, 10), date(2030, 1, 1)))
def test_what_is_escalated_was_due_before_a_working_day_that_is_over(today: date) -> None:
    before = escalates_before(today, CALENDAR)
    assert before < today
    assert CALENDAR.is_working(before)
