"""How sure we are of a person."""

import pytest

from policies.assurance import MULTI_FACTOR, SINGLE_FACTOR, acr_of, satisfies


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
