"""RFC 8628: codes people can type, polls that are answered in turn."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.device_codes import ALPHABET, LENGTH, RULES, Poll, Waiting, may_guess, read_user_code, shown, verdict

NOW = datetime(2026, 9, 9, 6, tzinfo=UTC)
LATER = NOW + RULES.lifetime


def waiting(**changes: object) -> Waiting:
    plain = {"approved": False, "denied": False, "used": False, "interval": 5, "polled_at": None, "expires_at": LATER}
    return Waiting(**(plain | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entered",
    [
        "BCDF-GHJK",
        "bcdfghjk",
        " bcdf ghjk ",
        "b-c-d-f-g-h-j-k",
        "BCDF\u2011GHJK",
        "BCDF–GHJK",
        "ВСDF-GHJK",
        "всdf-gнjк",
    ],
)
def test_a_code_is_understood_however_it_is_typed(entered: str) -> None:
    assert read_user_code(entered) == "BCDFGHJK"


@pytest.mark.parametrize(
    "entered", ["", "BCDF", "BCDF-GHJKL", "ACDF-GHJK", "BCDF_GHJK", "1234-5678", "B" * 4000, "\0" * 8]
)
def test_what_can_not_be_a_code_is_none(entered: str) -> None:
    assert read_user_code(entered) is None


def test_what_is_shown_is_understood_again() -> None:
    assert shown("BCDFGHJK") == "BCDF-GHJK"
    assert read_user_code(shown(ALPHABET[:LENGTH])) == ALPHABET[:LENGTH]


def test_five_guesses_are_looked_at_and_no_more() -> None:
    assert [may_guess(attempt) for attempt in range(1, 8)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, Poll.WAIT),
        ({"polled_at": NOW - timedelta(seconds=5)}, Poll.WAIT),
        ({"polled_at": NOW - timedelta(seconds=4)}, Poll.TOO_FAST),
        ({"polled_at": NOW - timedelta(seconds=9), "interval": 10}, Poll.TOO_FAST),
        ({"approved": True}, Poll.APPROVED),
        ({"approved": True, "polled_at": NOW}, Poll.APPROVED),
        ({"approved": True, "used": True}, Poll.SPENT),
        ({"approved": True, "expires_at": NOW}, Poll.EXPIRED),
        ({"expires_at": NOW}, Poll.EXPIRED),
        ({"denied": True, "expires_at": NOW}, Poll.DENIED),
    ],
)
def test_a_device_is_told_where_it_stands(changes: dict[str, object], told: Poll) -> None:
    assert verdict(waiting(**changes), NOW) is told


@given(code=st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH), blanks=st.text(" -\u2011\u00a0", max_size=10))
def test_a_code_is_read_as_it_is_shown_however_it_is_typed(code: str, blanks: str) -> None:
    assert read_user_code(shown(code)) == read_user_code(blanks + shown(code).lower() + blanks) == code


@given(entered=st.text(max_size=200))
def test_whatever_is_typed_is_a_code_or_nothing(entered: str) -> None:
    found = read_user_code(entered)
    assert found is None or (len(found) == LENGTH and set(found) <= set(ALPHABET))


@given(
    approved=st.booleans(), denied=st.booleans(), used=st.booleans(), late=st.integers(-900, 900),
    ago=st.none() | st.integers(0, 900),
)  # fmt: skip
def test_tokens_are_fetched_once_and_never_after_a_refusal_or_the_end(
    approved: bool, denied: bool, used: bool, late: int, ago: int | None
) -> None:
    polled_at = NOW - timedelta(seconds=ago) if ago is not None else None
    told = verdict(
        waiting(
            approved=approved, denied=denied, used=used, polled_at=polled_at, expires_at=NOW - timedelta(seconds=late)
        ),
        NOW,
    )
    assert (told is Poll.APPROVED) == (approved and not (denied or used or late >= 0))
