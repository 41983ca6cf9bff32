"""The code of a printed slip: hard to guess, easy to type."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.slips import ALPHABET, LENGTH, read_slip_code, shown

CODE = "7K3M9QWE4RTY0PAS1FGHJ2KNXZ"
codes = st.text(st.sampled_from(ALPHABET), min_size=LENGTH, max_size=LENGTH)


def test_a_code_can_not_be_guessed() -> None:
    assert LENGTH * log2(len(set(ALPHABET))) >= 128  # ASVS 11.5.1


@given(codes)
def test_what_is_printed_is_what_is_read(code: str) -> None:
    assert read_slip_code(shown(code)) == code


@pytest.mark.parametrize(
    "typed",
    [CODE.lower(), shown(CODE), shown(CODE).replace(" ", "-"), f"  {CODE}\t", CODE.replace("0", "O"),
     CODE.replace("1", "I"), CODE.replace("1", "l"), CODE.replace("0", "о").replace("K", "К").replace("M", "м")],
)  # fmt: skip
def test_case_blanks_hyphens_and_look_alikes_do_not_matter(typed: str) -> None:
    assert read_slip_code(typed) == CODE


@pytest.mark.parametrize(
    "typed", ["", "x", CODE[:-1], CODE + "A", CODE[:-1] + "U", CODE[:-1] + "Ж", "٠" * 26, "A" * 10**6]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_slip_code(typed) is None


@given(st.text())
def test_whatever_is_typed_is_read_as_a_code_or_as_none(typed: str) -> None:
    code = read_slip_code(typed)
    assert code is None or (len(code) == LENGTH and set(code) <= set(ALPHABET))
