"""What a leave takes away, by its type, and what an order says against the rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.affiliations import Affiliation, Kind, Leave
from policies.leaves import TYPES, LeaveRules, away, back, leave_on, was_away

RULES = LeaveRules({"childcare": frozenset({"mail", "moodle"})}, frozenset({"mail"}))
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
POST = Affiliation(
    kind=Kind.EMPLOYEE, department="0407", position="Доцент", position_code=None, programme=None, group=None,
    employment_id=None, rate=1.0, employment_type="main", programs=(), report_sections=(),
    starts_on=date(2025, 9, 1), ends_on=None, ended_at=None, opened_by=("order", 1), closed_by=None,
)  # fmt: skip


def leave(type: str, starts: str = "2027-01-11", ends: str | None = None, keep: bool | None = None) -> Leave:
    until = date.fromisoformat(ends) if ends else None
    return Leave(type, date.fromisoformat(starts), until, keep, ("leave", 1))


@pytest.mark.parametrize(
    ("type", "keep", "kept"),
    [
        ("annual", None, {"mail", "moodle", "unet"}),
        ("annual", True, {"mail", "moodle", "unet"}),
        ("annual", False, {"mail"}),
        ("childcare", None, {"mail", "moodle"}),
        ("childcare", False, {"mail", "moodle"}),
        ("childcare", True, {"mail", "moodle", "unet"}),
        ("of a later schema", None, {"mail", "moodle", "unet"}),
    ],
)
def test_the_type_decides_and_the_order_has_the_last_word(type: str, keep: bool | None, kept: set[str]) -> None:
    assert {code for code in ("mail", "moodle", "unet") if RULES.keeps(leave(type, keep=keep), code)} == kept


def test_without_rules_a_leave_takes_nothing_away_and_what_is_named_is_known() -> None:
    assert all(LeaveRules().keeps(leave(type), "unet") for type in TYPES)
    assert (LeaveRules().systems, RULES.systems) == (set(), {"mail", "moodle"})


def test_of_two_leaves_at_once_the_one_ordered_last_counts() -> None:
    both = away(away(POST, leave("annual")), leave("childcare", "2027-01-20", "2027-02-01"))
    on = [leave_on(both, date(2027, 1, day)) for day in (10, 11, 20)]
    assert [one and one.type for one in on] == [None, "annual", "childcare"]
    assert not was_away(both, date(2027, 2, 1)) and was_away(both, date(2027, 2, 2))


@given(starts=DAYS, ends=st.none() | DAYS, day=DAYS)
def test_after_a_return_nobody_is_away_and_before_it_nothing_has_changed(
    starts: date, ends: date | None, day: date
) -> None:
    before = away(POST, Leave("other", starts, ends, None, ("leave", 1)))
    after = back(before, day)
    assert leave_on(after, day) is None
    earlier = date(2026, 1, 1)
    while earlier < day and (day - earlier).days > 1:
        earlier += (day - earlier) / 2
        assert leave_on(after, earlier) == leave_on(before, earlier) or leave_on(before, day) is not None
