"""What officers may decide beyond the rules, and when it counts."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.access_decisions import Decision, Objection, latest_edge, objection

TODAY = date(2026, 9, 7)
DAYS = st.dates(TODAY - timedelta(days=30), TODAY + timedelta(days=30))


def gives(program: str | None = None, starts: int = 0, ends: int | None = 30, lifted: int | None = None) -> Decision:
    """Days from today."""
    return _decision(True, program, starts, ends, lifted)


def forbids(
    program: str | None = None, starts: int = 0, ends: int | None = None, lifted: int | None = None
) -> Decision:
    return _decision(False, program, starts, ends, lifted)


def _decision(kind: bool, program: str | None, starts: int, ends: int | None, lifted: int | None) -> Decision:
    first, last, off = (TODAY + timedelta(days=each) if each is not None else None for each in (starts, ends, lifted))
    assert first is not None
    return Decision("zoom", program, kind, first, last, off)


@pytest.mark.parametrize(
    ("decision", "holds", "may_hold"),
    [
        (forbids(), True, True),
        (forbids(ends=0), True, True),
        (forbids(starts=-9, ends=-1), False, False),
        (forbids(starts=1), False, True),
        (forbids(starts=-9, lifted=0), False, False),
        (gives(), True, True),
    ],
)
def test_a_decision_counts_from_its_first_day_to_its_last_unless_it_is_lifted(
    decision: Decision, holds: bool, may_hold: bool
) -> None:
    assert (decision.holds_on(TODAY), decision.may_hold(TODAY)) == (holds, may_hold)


@pytest.mark.parametrize(
    ("asked", "known", "against"),
    [
        (forbids(), [], None),
        (gives(), [], None),
        (gives(ends=366), [], None),
        (gives(ends=None), [], Objection.NO_END),
        (gives(ends=367), [], Objection.TOO_LONG),
        (gives(starts=-1), [], Objection.ENDS_BEFORE),
        (gives(starts=5, ends=4), [], Objection.ENDS_BEFORE),
        (forbids(ends=-1), [], Objection.ENDS_BEFORE),
        (gives(), [gives(ends=3)], Objection.KNOWN),
        (forbids(), [forbids(ends=3)], Objection.KNOWN),
        (forbids(), [forbids(lifted=0)], None),
        (forbids(), [forbids(starts=-9, ends=-1)], None),
        (forbids(), [gives()], None),
        (forbids("zoom.licensed"), [forbids()], None),
        (gives("zoom.licensed"), [gives()], None),
        (gives(), [forbids()], Objection.FORBIDDEN),
        (gives("zoom.licensed"), [forbids()], Objection.FORBIDDEN),
        (gives("zoom.licensed"), [forbids("zoom.licensed")], Objection.FORBIDDEN),
        (gives(), [forbids("zoom.licensed")], None),
    ],
)
def test_what_speaks_against_a_decision_is_named(
    asked: Decision, known: list[Decision], against: Objection | None
) -> None:
    elsewhere = [Decision("canva", None, kind, TODAY, None) for kind in (True, False)]
    assert objection(asked, [*elsewhere, *known], TODAY) is against


def test_the_latest_edge_is_the_last_change_up_to_today() -> None:
    assert latest_edge([], TODAY) is None
    assert latest_edge([gives(starts=3)], TODAY) is None
    assert latest_edge([gives(starts=-9)], TODAY) == TODAY - timedelta(days=9)
    assert latest_edge([gives(starts=-9, ends=-1)], TODAY) == TODAY
    assert latest_edge([forbids(starts=-9, lifted=-2), gives(starts=-4)], TODAY) == TODAY - timedelta(days=2)
    assert Decision("zoom", None, False, TODAY, date.max).day_after is None


@given(starts=DAYS, ends=st.none() | DAYS, lifted=st.none() | DAYS, kind=st.booleans(), today=DAYS)
def test_what_holds_may_hold_and_between_two_edges_nothing_changes(
    starts: date, ends: date | None, lifted: date | None, kind: bool, today: date
) -> None:
    one = Decision("zoom", None, kind, starts, ends, lifted)
    assert one.may_hold(today) or not one.holds_on(today)
    before = today - timedelta(days=1)
    if lifted is None and one.holds_on(today) != one.holds_on(before):
        assert latest_edge([one], today) == today
