"""security.md, JWT and keys: published before use, kept until the last token has run out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.key_rotation import RotationRules, hand_over

NOW = datetime(2026, 9, 9, 6, tzinfo=UTC)
RULES = RotationRules()
MINUTES = timedelta(minutes=10)


def test_a_new_key_signs_only_when_every_cache_has_forgotten_the_old_key_set() -> None:
    assert hand_over(NOW, MINUTES, RULES).signs_from > NOW + RULES.cached + RULES.noticed


def test_the_old_key_stays_until_the_last_token_it_may_have_signed_has_run_out() -> None:
    handover = hand_over(NOW, MINUTES, RULES)
    last_token = handover.signs_from + RULES.noticed  # by a process that has not noticed yet
    assert handover.old_until == last_token + MINUTES + RULES.leeway


def test_rules_by_which_a_key_would_sign_unheard_of_do_not_hold() -> None:
    with pytest.raises(ValueError, match="longer than the key set is cached"):
        RotationRules(publication=timedelta(seconds=305))
    RotationRules(publication=timedelta(seconds=306))


SECONDS = st.integers(0, 100_000).map(lambda seconds: timedelta(seconds=seconds))


@given(publication=SECONDS, cached=SECONDS, noticed=SECONDS, leeway=SECONDS, longest=SECONDS)
def test_no_token_outlives_its_key_and_no_key_signs_unheard_of(
    publication: timedelta, cached: timedelta, noticed: timedelta, leeway: timedelta, longest: timedelta
) -> None:
    if publication <= cached + noticed:
        with pytest.raises(ValueError, match="published"):
            RotationRules(publication, cached, noticed, leeway)
        return
    handover = hand_over(NOW, longest, RotationRules(publication, cached, noticed, leeway))
    assert handover.signs_from > NOW + cached
    assert handover.old_until >= handover.signs_from + longest
