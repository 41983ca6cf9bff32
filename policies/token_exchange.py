"""What a token may be exchanged for: less than it was, never more.  Regulation 3.2 (access as given); RFC 8693.

Owns who may exchange which token, which audience and scope come out of it, and who is named as acting.  Leaves alone
whether tokens are genuine and whether the grant behind them stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_ACTORS = 5  # in a chain; each one makes the token longer


@dataclass(frozen=True, slots=True)
class Exchange:
    """A token (`client_id` it was issued to, `audience`, `scope`, who acts in it), the client that brings it
    (`caller`, with the `audiences` it is, the `resources` it may ask tokens for, and the scope it may have at most), and
    what it asks for; nothing asked for means as much as there is."""

    client_id: str
    audience: tuple[str, ...]
    scope: frozenset[str]
    actor: Mapping[str, Any] | None
    caller: str
    audiences: frozenset[str]
    resources: frozenset[str]
    caller_scope: frozenset[str]
    audience_asked: tuple[str, ...]
    scope_asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What the new token says."""

    audience: tuple[str, ...]
    scope: tuple[str, ...]
    actor: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotExchanged:
    """Why there is none; `error` is a registered code (RFC 8693, 2.2.2)."""

    error: str
    description: str


Check = Callable[[Exchange], bool]


def it_is_no_concern_of_the_caller(exchange: Exchange) -> bool:
    """It was neither issued to the caller nor meant for it: a token found somewhere is of no use."""
    return not _own(exchange) and not exchange.audiences.intersection(exchange.audience)


def it_went_through_too_many_hands(exchange: Exchange) -> bool:
    """The chain of actors ends somewhere."""
    return _length(exchange.actor) >= MOST_ACTORS


def the_audience_is_not_the_callers_to_ask(exchange: Exchange) -> bool:
    """RFC 8693, 2.2.2."""
    return not exchange.resources.issuperset(exchange.audience_asked)


def the_scope_is_more_than_there_is(exchange: Exchange) -> bool:
    """More than the token has, or than the caller may have; or nothing is left."""
    return not _scope(exchange) or not _possible(exchange).issuperset(_scope(exchange))


CHECKS: tuple[tuple[Check, NotExchanged], ...] = (
    (it_is_no_concern_of_the_caller, NotExchanged("invalid_request", "the subject token can't be used")),
    (it_went_through_too_many_hands, NotExchanged("invalid_request", "the token went through too many hands")),
    (
        the_audience_is_not_the_callers_to_ask,
        NotExchanged("invalid_target", "the client may not have tokens for this audience"),
    ),
    (
        the_scope_is_more_than_there_is,
        NotExchanged("invalid_scope", "the scope is not in the token, or not for this client"),
    ),
)


def exchanged(exchange: Exchange) -> Exchanged | NotExchanged:
    """The first check that holds refuses; else what comes out.

    Without an audience asked for, the token stays for whom it was, as far as that concerns the caller.  Who acts is the
    caller, and inside it whoever acted before (RFC 8693, 4.1).
    """
    refusal = next((refusal for check, refusal in CHECKS if check(exchange)), None)
    if refusal is not None:
        return refusal
    actor = {"sub": exchange.caller} | ({"act": dict(exchange.actor)} if exchange.actor else {})
    return Exchanged(exchange.audience_asked or _kept(exchange), _scope(exchange), actor)


def _own(exchange: Exchange) -> bool:
    return exchange.client_id == exchange.caller


def _kept(exchange: Exchange) -> tuple[str, ...]:
    concerned = exchange.audiences | exchange.resources
    return tuple(one for one in exchange.audience if _own(exchange) or one in concerned)


def _possible(exchange: Exchange) -> frozenset[str]:
    return exchange.scope & exchange.caller_scope


def _scope(exchange: Exchange) -> tuple[str, ...]:
    return tuple(sorted(exchange.scope_asked or _possible(exchange)))


def _length(actor: Mapping[str, Any] | None) -> int:
    return 1 + _length(actor.get("act")) if actor else 0
