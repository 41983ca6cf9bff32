"""RFC 8693, narrowing only."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.token_exchange import MOST_ACTORS, Exchange, Exchanged, NotExchanged, exchanged

GATE, STORE, OURS = "https://gate.example", "https://store.example", "https://id.example"
PLAIN = Exchange(
    client_id="portal",
    audience=(GATE,),
    scope=frozenset({"openid", "profile", "orders:read"}),
    actor=None,
    caller="gate",
    audiences=frozenset({GATE}),
    resources=frozenset({STORE}),
    caller_scope=frozenset({"orders:read", "orders:write"}),
    audience_asked=(STORE,),
    scope_asked=("orders:read",),
)


def chain(length: int) -> dict[str, Any] | None:
    return {"sub": f"client-{length}", "act": chain(length - 1)} if length else None


def test_a_token_meant_for_the_caller_becomes_one_for_whom_the_caller_needs() -> None:
    assert exchanged(PLAIN) == Exchanged((STORE,), ("orders:read",), {"sub": "gate"})


def test_what_is_not_asked_for_is_as_much_as_both_have() -> None:
    plain = replace(PLAIN, audience_asked=(), scope_asked=())
    assert exchanged(plain) == Exchanged((GATE,), ("orders:read",), {"sub": "gate"})
    both = replace(plain, audience=(GATE, OURS))
    assert exchanged(both) == Exchanged((GATE,), ("orders:read",), {"sub": "gate"})
    own = replace(plain, caller="portal", audience=(OURS,))
    assert exchanged(own) == Exchanged((OURS,), ("orders:read",), {"sub": "portal"})


def test_who_acted_before_is_named_inside() -> None:
    found = exchanged(replace(PLAIN, actor={"sub": "shop"}))
    assert isinstance(found, Exchanged)
    assert found.actor == {"sub": "gate", "act": {"sub": "shop"}}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": (OURS,)}, "invalid_request"),
        ({"audience": ()}, "invalid_request"),
        ({"audience": (STORE,)}, "invalid_request"),
        ({"actor": chain(MOST_ACTORS)}, "invalid_request"),
        ({"audience_asked": (OURS,)}, "invalid_target"),
        ({"audience_asked": (GATE,)}, "invalid_target"),
        ({"audience_asked": (STORE, OURS)}, "invalid_target"),
        ({"scope_asked": ("orders:write",)}, "invalid_scope"),
        ({"scope_asked": ("profile",)}, "invalid_scope"),
        ({"scope_asked": (), "caller_scope": frozenset({"email"})}, "invalid_scope"),
    ],
)
def test_more_is_refused(changes: dict[str, Any], error: str) -> None:
    found = exchanged(replace(PLAIN, **changes))
    assert isinstance(found, NotExchanged)
    assert found.error == error


def test_the_chain_may_be_as_long_as_said() -> None:
    assert isinstance(exchanged(replace(PLAIN, actor=chain(MOST_ACTORS - 1))), Exchanged)


WORDS = st.frozensets(st.sampled_from("abcdef"))
LISTS = WORDS.map(lambda words: tuple(sorted(words)))


@given(LISTS, WORDS, WORDS, WORDS, WORDS, LISTS, LISTS, st.booleans())
def test_what_comes_out_is_never_more_than_went_in(
    audience: tuple[str, ...],
    scope: frozenset[str],
    audiences: frozenset[str],
    resources: frozenset[str],
    caller_scope: frozenset[str],
    audience_asked: tuple[str, ...],
    scope_asked: tuple[str, ...],
    own: bool,
) -> None:
    caller = "portal" if own else "gate"
    asked = (audience_asked, scope_asked)
    found = exchanged(Exchange("portal", audience, scope, None, caller, audiences, resources, caller_scope, *asked))
    if isinstance(found, Exchanged):
        assert set(found.scope) <= scope & caller_scope
        assert set(found.audience) <= audiences | resources | set(audience if own else ())
