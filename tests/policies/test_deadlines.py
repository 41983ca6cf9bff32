"""Regulation 3.5, 3.7: three working days, counted where the university is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.deadlines import Calendar, Standing, counted_from, deadline, local_day, standing, start_of

BISHKEK = ZoneInfo("Asia/Bishkek")
PLAIN = Calendar(frozenset(), frozenset())
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
CALENDARS = st.builds(Calendar, st.frozensets(DAYS, max_size=30), st.frozensets(DAYS, max_size=10))


def test_three_working_days_from_a_monday_end_on_thursday_night() -> None:
    due = deadline(date(2026, 11, 16), 3, PLAIN, BISHKEK)
    assert due.due_on == date(2026, 11, 19)
    assert due.due_at == datetime(2026, 11, 19, 18, tzinfo=UTC)  # midnight in Bishkek, UTC+6
    assert due.skipped == ()


def test_the_weekend_does_not_count_and_is_named() -> None:
    due = deadline(date(2026, 11, 19), 3, PLAIN, BISHKEK)
    assert due.due_on == date(2026, 11, 24)
    assert due.skipped == (date(2026, 11, 21), date(2026, 11, 22))


def test_a_holiday_does_not_count_but_a_moved_working_day_does() -> None:
    saturday, monday = date(2026, 11, 21), date(2026, 11, 23)
    calendar = Calendar(frozenset({saturday, monday}), frozenset({saturday}))
    due = deadline(date(2026, 11, 20), 2, calendar, BISHKEK)
    assert due.due_on == date(2026, 11, 24)
    assert due.skipped == (date(2026, 11, 22), monday)


def test_no_days_at_all_means_the_day_itself() -> None:
    assert deadline(date(2026, 11, 21), 0, PLAIN, BISHKEK).due_on == date(2026, 11, 21)


def test_a_deadline_explains_itself_in_json() -> None:
    assert deadline(date(2026, 11, 20), 1, PLAIN, BISHKEK).as_json() == {
        "due_on": "2026-11-23",
        "due_at": "2026-11-23T18:00:00+00:00",
        "start": "2026-11-20",
        "working_days": 1,
        "skipped": ["2026-11-21", "2026-11-22"],
    }


DUE_AT = datetime(2026, 11, 19, 18, tzinfo=UTC)
MOMENT = timedelta.resolution


@pytest.mark.parametrize(
    ("done_at", "now", "expected"),
    [
        (None, DUE_AT - timedelta(days=1) - MOMENT, Standing.DUE),
        (None, DUE_AT - timedelta(days=1), Standing.DUE_TODAY),
        (None, DUE_AT - MOMENT, Standing.DUE_TODAY),
        (None, DUE_AT, Standing.OVERDUE),
        (DUE_AT - MOMENT, DUE_AT + timedelta(days=9), Standing.KEPT),
        (DUE_AT, DUE_AT, Standing.LATE),
    ],
)
def test_a_task_is_due_until_its_last_day_and_overdue_from_the_midnight_after(
    done_at: datetime | None, now: datetime, expected: Standing
) -> None:
    assert standing(DUE_AT, done_at, now, BISHKEK) is expected


@given(DAYS, st.integers(1, 30), CALENDARS)
def test_exactly_that_many_working_days_lie_between_start_and_deadline(
    start: date, working_days: int, calendar: Calendar
) -> None:
    due = deadline(start, working_days, calendar, BISHKEK)
    between = [start + timedelta(days=n) for n in range(1, (due.due_on - start).days + 1)]
    assert sum(map(calendar.is_working, between)) == working_days
    assert due.skipped == tuple(day for day in between if not calendar.is_working(day))
    assert calendar.is_working(due.due_on)


@given(DAYS, st.integers(0, 29), CALENDARS)
def test_more_days_never_end_earlier(start: date, working_days: int, calendar: Calendar) -> None:
    sooner, later = (deadline(start, days, calendar, BISHKEK) for days in (working_days, working_days + 1))
    assert sooner.due_at < later.due_at


@given(DAYS, st.sampled_from(["Asia/Bishkek", "Africa/Cairo", "America/Sao_Paulo", "UTC"]))
def test_a_day_begins_on_that_day_even_where_clocks_change_at_midnight(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    assert local_day(start_of(day, zone), zone) == day
    assert local_day(start_of(day, zone) - MOMENT, zone) < day


def test_an_opening_counts_from_its_approval_and_all_else_not_before_its_day() -> None:
    approved, effective = date(2026, 11, 16), date(2026, 11, 30)
    assert counted_from(True, approved, effective) == approved
    assert counted_from(False, approved, effective) == effective
    assert counted_from(False, effective, approved) == effective
    assert counted_from(False, approved, None) == approved
