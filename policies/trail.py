"""How a record of the trail is told to the person it is about: who acted, what was before and after.  Regulation 6.1.

Owns the sorting of actors and the pairs of values.  Leaves alone their words, which are the pages'.
"""

import re
from collections.abc import Mapping
from typing import Any

Pair = tuple[str, Any, Any]

ORDER = re.compile(r"order/[^/]*/(.+?)(/v\d+)?")


def who_acted(actor: str, login: str) -> tuple[str, str]:
    """The kind of an actor as seen by `login`, and its name where it has one to tell: self, officer, order, client,
    anonymous, service."""
    kind, _, name = actor.partition("/")
    if kind == "account":
        return ("self", "") if name == login else ("officer", name)
    order = ORDER.fullmatch(actor)
    if order:
        return "order", order[1]
    return (kind, name) if kind in ("client", "anonymous") else ("service", "")


def pairs(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Pair]:
    """Each value before and after, by its name; what was told on one side only is nothing on the other.

    What stayed as it was stands there too: it says which thing the act was about.
    """
    old, new = before or {}, after or {}
    return [(name, _plain(old.get(name)), _plain(new.get(name))) for name in (*old, *(n for n in new if n not in old))]


def _plain(value: Any) -> Any:
    """A table in a value as text: names and values in a row."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    return [_plain(item) for item in value] if isinstance(value, list) else value
