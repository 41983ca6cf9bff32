"""What is wrong between a system and what is wanted there (3.6, 3.7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.reconciliation import MENDED_BY_A_TASK, Found, ReconciliationRules, Sight, is_shrunk, may_repair, verdict

RULES = ReconciliationRules(repair=frozenset({Found.DIFFERING, Found.EXTRA}))


@pytest.mark.parametrize(
    ("sight", "found"),
    [
        (Sight(True, linked=True, wanted=True), None),
        (Sight(True, linked=True, wanted=True, differs=True), Found.DIFFERING),
        (Sight(False, linked=True, wanted=True), Found.DIFFERING),
        (Sight(True, linked=True), Found.OPEN),
        (Sight(True, linked=True, differs=True), Found.OPEN),
        (Sight(False, linked=True), None),
        (Sight(True), Found.EXTRA),
        (Sight(False), None),
        (Sight(True, twin=True), Found.TWIN),
        (Sight(False, twin=True), None),
    ],
)
def test_what_is_wrong_with_an_account(sight: Sight, found: Found | None) -> None:
    assert verdict(sight) is found


@pytest.mark.parametrize(
    ("found", "before", "shrunk"), [(90, 100, False), (89, 100, True), (0, 1, True), (0, 0, False), (0, None, False)]
)
def test_a_tenth_less_than_the_last_time_is_no_ground_to_act(found: int, before: int | None, shrunk: bool) -> None:
    assert is_shrunk(found, before, RULES) is shrunk


@pytest.mark.parametrize(
    ("kind", "count", "may"),
    [
        (Found.DIFFERING, 25, True),
        (Found.DIFFERING, 26, False),
        (Found.OPEN, 1, False),
        (Found.EXTRA, 1, False),
    ],
)
def test_only_what_the_profile_names_is_mended_unasked_and_never_many_at_once(
    kind: Found, count: int, may: bool
) -> None:
    assert may_repair(kind, count, RULES) is may


@given(st.sampled_from(Found), st.integers(0, 1_000))
def test_by_default_nothing_is_mended_unasked(kind: Found, count: int) -> None:
    assert not may_repair(kind, count, ReconciliationRules())


@given(st.builds(Sight, *[st.booleans()] * 5))
def test_what_cannot_be_used_and_is_not_wanted_is_never_wrong(sight: Sight) -> None:
    found = verdict(sight)
    if not sight.active and not (sight.linked and sight.wanted):
        assert found is None
    assert found is not Found.MISSING
    assert found in MENDED_BY_A_TASK | {None, Found.TWIN, Found.EXTRA}
