"""Texts with placeholders, and how a value is written in its place so that it stays there.

Owns the places a value can stand in: a segment of a path, a query, an OData literal ('{login}' in either), JSON.  What is
asked for and when is the map's (`rest_map.py`).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from connectors.base import Json, OutcomeKind, TargetError

Values: TypeAlias = Mapping[str, Json]
"""What placeholders stand for: texts and numbers; absent or null is an empty text."""
Tree: TypeAlias = "Template | bool | int | float | list[Tree] | dict[str, Tree]"
"""JSON whose texts may hold placeholders."""

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SPLITS_A_PATH = re.compile(r"[/\\\x00-\x1f\x7f]")
"""Servers decode a path before they take it apart, so an escaped slash may still be one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes; in a literal of OData its quotes are doubled (OData v3, 2.2.2)."""

    name: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Template:
    """Fixed text and slots, in turn."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))

    def fill(self, write: Callable[[Slot], str]) -> str:
        return "".join(part if isinstance(part, str) else write(part) for part in self.parts)


def parse(text: str, allowed: frozenset[str]) -> Template:
    """The template written so; ValueError says in words for the writer of a map what is wrong with it."""
    parts: list[str | Slot] = []
    is_quoted = False
    for place, piece in enumerate(PLACEHOLDER.split(text)):
        if place % 2:
            if piece not in allowed:
                raise ValueError(f"{{{piece}}} is none of {', '.join(sorted(allowed))}")
            parts.append(Slot(piece, is_quoted))
        elif "{" in piece or "}" in piece:
            raise ValueError("a brace that belongs to no placeholder")
        elif piece:
            parts.append(piece)
            is_quoted ^= piece.count("'") % 2 == 1
    return Template(tuple(parts))


def as_path(template: Template, values: Values) -> str:
    """Each value as (part of) one segment; what a server could take for more than that is PERMANENT."""
    return template.fill(lambda slot: _segment(slot, values))


def as_query(tree: Tree, values: Values) -> str:
    """A query's value, a table as JSON; not yet escaped for the address: that is the HTTP client's."""
    if isinstance(tree, Template):
        return tree.fill(lambda slot: _literal(slot, values))
    return json.dumps(as_json(tree, values), ensure_ascii=False)


def as_json(tree: Tree, values: Values) -> Json:
    """A field whose text comes out empty is left out; JSON needs no doubled quotes."""
    match tree:
        case Template():
            return tree.fill(lambda slot: _text(slot, values))
        case dict():
            filled = {key: as_json(one, values) for key, one in tree.items()}
            return {key: one for key, one in filled.items() if one != ""}
        case list():
            return [as_json(one, values) for one in tree]
        case _:
            return tree


def _text(slot: Slot, values: Values) -> str:
    value = values.get(slot.name)
    return "" if value is None else str(value)


def _literal(slot: Slot, values: Values) -> str:
    return _text(slot, values).replace("'", "''") if slot.quoted else _text(slot, values)


def _segment(slot: Slot, values: Values) -> str:
    value = _literal(slot, values)
    if not value.strip(".") or SPLITS_A_PATH.search(value):
        raise TargetError(OutcomeKind.PERMANENT, f"{slot.name} is not what a path can carry")
    return quote(value, safe="")
