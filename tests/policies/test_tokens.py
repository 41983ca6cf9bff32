"""ASVS 10.4: lifetimes of what is issued."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.tokens import TokenRules, refresh_until

START = datetime(2026, 9, 7, 8, tzinfo=UTC)
RULES = TokenRules()


def test_codes_live_a_minute_and_access_tokens_some() -> None:
    assert RULES.code <= timedelta(seconds=60)
    assert timedelta(minutes=5) <= RULES.access <= timedelta(minutes=15)
    assert RULES.refresh_grace <= timedelta(seconds=10)


def test_a_refresh_token_lives_from_use_to_use() -> None:
    assert refresh_until(START, START, RULES) == START + RULES.refresh_idle


def test_no_refresh_token_outlives_its_family() -> None:
    end = START + RULES.refresh_absolute
    assert refresh_until(START, end - timedelta(minutes=1), RULES) == end


SECONDS = st.integers(0, 10_000_000).map(lambda seconds: timedelta(seconds=seconds))


@given(used=SECONDS, later=SECONDS)
def test_a_refresh_token_never_outlives_its_family_and_using_it_never_shortens_it(
    used: timedelta, later: timedelta
) -> None:
    until = refresh_until(START, START + used, RULES)
    assert until <= START + RULES.refresh_absolute
    assert until <= START + used + RULES.refresh_idle
    assert refresh_until(START, START + used + later, RULES) >= until
