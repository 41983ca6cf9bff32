"""Regulation 6.2: accepted at first sign-in, and again when the text changes."""

from policies.agreement import Agreement, required

CURRENT = Agreement("2", "b" * 64)


def test_who_has_accepted_nothing_is_asked() -> None:
    assert required(CURRENT, [])


def test_who_has_accepted_an_older_text_is_asked_again() -> None:
    assert required(CURRENT, {"a" * 64})


def test_who_has_accepted_this_text_is_not_asked() -> None:
    assert not required(CURRENT, ["a" * 64, "b" * 64])
