"""How sure we are of a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.assurance import ACR_VALUES, MULTI_FACTOR, SINGLE_FACTOR, acr_of, satisfies


@pytest.mark.parametrize(
    ("amr", "acr"), [((), SINGLE_FACTOR), (("pwd",), SINGLE_FACTOR), (("pwd", "otp", "mfa"), MULTI_FACTOR)]
)
def test_two_factors_reach_the_stronger_class(amr: tuple[str, ...], acr: str) -> None:
    assert acr_of(amr) == acr


@pytest.mark.parametrize(
    ("amr", "wanted", "enough"),
    [
        (("pwd",), (SINGLE_FACTOR,), True),
        (("pwd",), (MULTI_FACTOR,), False),
        (("pwd",), (MULTI_FACTOR, SINGLE_FACTOR), True),
        (("pwd", "mfa"), (SINGLE_FACTOR,), True),
        (("pwd", "mfa"), (MULTI_FACTOR,), True),
        (("pwd", "mfa"), ("urn:other",), False),
        (("pwd",), (), False),
    ],
)
def test_a_stronger_class_is_as_good_as_a_weaker(amr: tuple[str, ...], wanted: tuple[str, ...], enough: bool) -> None:
    assert satisfies(amr, wanted) is enough


@given(amr=st.sets(st.sampled_from(["pwd", "otp", "pop", "user", "mfa"])), wanted=st.sets(st.sampled_from(ACR_VALUES)))
def test_more_proof_never_satisfies_less(amr: set[str], wanted: set[str]) -> None:
    if satisfies(amr, wanted):
        assert satisfies(amr | {"mfa"}, wanted)
        assert acr_of(amr) in wanted or acr_of(amr) == MULTI_FACTOR
    assert not satisfies(amr, set())
