"""Marks of systems: short, and the same every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.marks import COLOURS, colour, initials


@pytest.mark.parametrize(
    ("code", "letters"),
    [("avn", "AV"), ("1c", "1C"), ("e-kyzmat", "EK"), ("Жатакана", "ЖА"), ("x", "X"), ("--", ""), ("a b c", "AB")],
)
def test_initials(code: str, letters: str) -> None:
    assert initials(code) == letters


@given(st.text(max_size=40))
def test_a_mark_is_at_most_two_letters_and_one_of_the_colours(code: str) -> None:
    assert len(initials(code)) <= 2
    assert 0 <= colour(code) < COLOURS
    assert colour(code) == colour(code)
