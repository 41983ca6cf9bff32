"""Regulation 5.4-5.6: sessions end by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.sessions import OFFICER, PERSON, SessionRules, alive, is_fresh

START = datetime(2026, 9, 7, 8, tzinfo=UTC)
MOMENT = timedelta.resolution


@pytest.mark.parametrize("rules", [PERSON, OFFICER])
def test_a_session_ends_after_a_stretch_without_activity(rules: SessionRules) -> None:
    assert alive(START, START, START + rules.idle - MOMENT, rules)
    assert not alive(START, START, START + rules.idle, rules)


@pytest.mark.parametrize("rules", [PERSON, OFFICER])
def test_activity_does_not_prolong_it_beyond_its_absolute_end(rules: SessionRules) -> None:
    end = START + rules.absolute
    assert alive(START, end - MOMENT, end - MOMENT, rules)
    assert not alive(START, end - MOMENT, end, rules)


def test_officers_are_signed_out_sooner() -> None:
    assert (OFFICER.idle, OFFICER.absolute) == (timedelta(minutes=15), timedelta(hours=12))
    assert (PERSON.idle, PERSON.absolute) == (timedelta(hours=1), timedelta(hours=24))


def test_a_sign_in_is_fresh_for_five_minutes() -> None:
    assert is_fresh(START, START + timedelta(minutes=5) - MOMENT)
    assert not is_fresh(START, START + timedelta(minutes=5))


MINUTES = st.integers(0, 3_000).map(lambda minutes: timedelta(minutes=minutes))


@given(seen=MINUTES, later=MINUTES, more=MINUTES)
def test_a_session_that_is_over_stays_over_and_one_of_an_officer_is_never_the_longer(
    seen: timedelta, later: timedelta, more: timedelta
) -> None:
    now = START + seen + later
    for rules in (PERSON, OFFICER):
        assert alive(START, START + seen, now, rules) or not alive(START, START + seen, now + more, rules)
    assert alive(START, START + seen, now, PERSON) or not alive(START, START + seen, now, OFFICER)
    assert is_fresh(START, START + more) or not is_fresh(START, START + more + later)
