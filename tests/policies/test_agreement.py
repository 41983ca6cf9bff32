"""Regulation 6.2: accepted at first sign-in, and again when the text changes; annex 2: of employees, another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.agreement import Agreement, digest_of, missing

USER = Agreement("user", "2", "b" * 64)
HR = Agreement("hr-documents", "1", "c" * 64, frozenset({"employee"}))
BOTH = (USER, HR)


@pytest.mark.parametrize(
    ("kinds", "accepted", "asked"),
    [
        (["employee"], [], BOTH),
        (["employee", "student"], [], BOTH),
        (["student"], [], (USER,)),
        ([], [], (USER,)),
        (["employee"], [USER.sha256], (HR,)),
        (["employee"], [HR.sha256], (USER,)),
        (["employee"], [USER.sha256, HR.sha256], ()),
        (["student"], [USER.sha256], ()),
    ],
)
def test_everybody_is_asked_for_what_is_for_them_and_missing(
    kinds: list[str], accepted: list[str], asked: tuple[Agreement, ...]
) -> None:
    assert missing(BOTH, kinds, accepted) == asked


def test_who_has_accepted_an_older_text_is_asked_again() -> None:
    assert missing((USER,), [], {"a" * 64}) == (USER,)


def test_where_nothing_is_in_force_nothing_is_asked() -> None:
    assert missing((), ["employee"], []) == ()


texts = st.fixed_dictionaries({language: st.text() for language in ("ky", "ru", "en")})


@given(st.text(), texts, st.text(), texts)
def test_only_the_same_version_and_texts_have_the_same_digest(
    version: str, told: dict[str, str], other_version: str, other: dict[str, str]
) -> None:
    if "\0" not in version + other_version + "".join((*told.values(), *other.values())):
        same = (version, told) == (other_version, other)
        assert (digest_of(version, told) == digest_of(other_version, other)) is same


def test_a_text_from_before_is_known_again() -> None:
    """The digests that people accepted must not change with the code."""
    known = "194516d9f6b8f1cc074e0f7215915b41667627afa05d087773d2e45fc49a7626"
    assert digest_of("1", {"ky": "к", "ru": "р", "en": "e"}) == known
