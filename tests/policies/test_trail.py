"""Records as the person they are about reads them (6.1)."""

from typing import Any

import pytest

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
