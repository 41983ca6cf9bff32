"""ASVS 10.4: lifetimes of what is issued."""

from datetime import UTC, datetime, timedelta

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
