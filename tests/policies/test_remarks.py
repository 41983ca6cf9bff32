"""Words of people are kept as they can be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.remarks import LONGEST, remark


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  passport shown ", "passport shown"),
        ("one\r\ntwo\n", "one\ntwo"),
        ("a\0b\x1b[31m", "a b [31m"),
        ("\0", ""),
        ("\ud800", ""),
        ("Үлгүбаева «көрсөттү»", "Үлгүбаева «көрсөттү»"),
    ],
)
def test_what_does_not_show_is_a_blank(written: str, kept: str) -> None:
    assert remark(written) == kept


@given(text=st.text(st.characters(), max_size=2 * LONGEST))
def test_a_remark_is_short_can_be_stored_and_stays_itself(text: str) -> None:
    kept = remark(text)
    assert len(kept) <= LONGEST
    assert "\0" not in kept
    assert kept.encode().decode() == kept == remark(kept)
