"""security.md, JWT and keys: published before use, kept until the last token has run out."""

from datetime import UTC, datetime, timedelta

import pytest

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
