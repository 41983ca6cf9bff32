"""JSON as programs send it: read strictly, and within bounds (security.md, operation: JSON depth 20).

Names come once; numbers are finite; texts are of real characters.  What the document must say is the caller's matter.
"""

import json
import math
from typing import Any, NoReturn

DEEPEST = 20


class NotJson(ValueError):
    """The bytes are no such JSON; the text says why, and never what stood there."""


def read_json(raw: bytes) -> Any:
    """The value in `raw`.  Raises `NotJson`."""
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no character
        too_deep = _depth(value) > DEEPEST
    except (ValueError, RecursionError):
        raise NotJson("JSON without duplicate names is expected") from None
    if too_deep:
        raise NotJson(f"nested deeper than {DEEPEST}")
    return value


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`.  Raises `NotJson`."""
    value = read_storable(raw)
    if not isinstance(value, dict):
        raise NotJson("a JSON object is expected")
    return value


def read_storable(raw: bytes) -> Any:
    """The value in `raw`; a NUL in it, which no database takes, spoils it.  Raises `NotJson`."""
    if b"\\u0000" in raw:
        raise NotJson("a text holds a NUL")
    return read_json(raw)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate name")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_constant(digits)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0
