"""Records as the person they are about reads them (6.1)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.trail import pairs, who_acted


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        ("account/aida", ("self", "")),
        ("account/bakyt", ("officer", "bakyt")),
        ("order/shnet/1/101-К/v2", ("order", "1/101-К")),
        ("order/shnet/7", ("order", "7")),
        ("client/lib", ("client", "lib")),
        ("anonymous", ("anonymous", "")),
        ("worker", ("service", "")),
        ("command", ("service", "")),
    ],
)
def test_who_acted_is_the_person_an_officer_an_order_or_the_service(actor: str, told: tuple[str, str]) -> None:
    assert who_acted(actor, "aida") == told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"locked": False}, {"locked": True, "reason": "x"}, [("locked", False, True), ("reason", None, "x")]),
        (None, None, []),
        ({"a": {"b": 1, "c": [2]}}, {}, [("a", "b: 1, c: [2]", None)]),
        (None, {"a": [{"b": 1}, "c"]}, [("a", None, ["b: 1", "c"])]),
    ],
)
def test_each_value_stands_beside_what_it_was(before: Any, after: Any, told: Any) -> None:
    assert pairs(before, after) == told


SIDES = st.none() | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=4)


@given(before=SIDES, after=SIDES)
def test_every_value_is_told_once_with_both_its_sides(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    told = pairs(before, after)
    names = [name for name, _, _ in told]
    assert sorted(names) == sorted({*(before or {}), *(after or {})})
    assert all((old, new) == ((before or {}).get(name), (after or {}).get(name)) for name, old, new in told)


@given(actor=st.text(max_size=40), login=st.text(max_size=10))
def test_whoever_acts_is_of_a_known_kind_and_only_oneself_is_self(actor: str, login: str) -> None:
    kind, _ = who_acted(actor, login)
    assert kind in {"self", "officer", "order", "client", "anonymous", "service"}
    assert (kind == "self") == (actor == f"account/{login}")
