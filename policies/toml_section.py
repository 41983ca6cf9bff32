"""Reading one table of a TOML text, collecting what is wrong with it.  For profiles: Regulation 3.1, annex.

Owns the types of values and the words in which a mistake is told.  Leaves alone what the values mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Section:
    """One TOML table being read: each key is taken once, each mistake noted under its path, reading never stops."""

    def __init__(self, values: Mapping[str, Any], path: str, mistakes: list[str]) -> None:
        self._values = dict(values)
        self._path, self._mistakes = path, mistakes

    def __contains__(self, key: str) -> bool:
        """Whether the key is written, and nobody has taken it yet."""
        return key in self._values

    def wrong(self, key: str, why: str) -> None:
        """Note a mistake."""
        path = f"{self._path}.{key}" if self._path else key
        self._mistakes.append(f"{path}: {why}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something; a default makes it optional."""
        is_blank = default is None and str(self._values.get(key, "-")).strip() == ""
        value = self._take(key, str, "a text", "", default)
        if is_blank:
            self.wrong(key, "must not be empty")
        return value

    def number(self, key: str, least: int, most: int, default: int) -> int:
        """A whole number between two bounds, both allowed."""
        value = self._take(key, int, "a whole number", default, default)
        if not least <= value <= most:
            self.wrong(key, f"must be between {least} and {most}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return self._take(key, bool, "true or false", default, default)

    def items(self, key: str, kind: type[T], default: tuple[T, ...] | None = None) -> tuple[T, ...]:
        """A list of values of one kind."""
        values = self._take(key, list, "a list", [], None if default is None else list(default))
        if any(type(value) is not kind for value in values):
            self.wrong(key, f"may hold only values of the kind {kind.__name__}")
        return tuple(value for value in values if type(value) is kind)

    def section(self, key: str, default: dict[str, Any] | None = None) -> "Section":
        """A table inside this one."""
        path = f"{self._path}.{key}" if self._path else key
        is_there = key in self._values or default is not None
        # of a table that is missing altogether one mistake is enough
        mistakes = self._mistakes if is_there else []
        return Section(self._take(key, dict, "a table", {}, default), path, mistakes)

    def sections(self, key: str) -> "list[Section]":
        """A list of tables inside this one."""
        tables = self.items(key, dict)
        return [Section(table, f"{key}[{place}]", self._mistakes) for place, table in enumerate(tables)]

    def known(self, key: str, values: Sequence[str], allowed: frozenset[str]) -> None:
        """Note each value that is none of the allowed ones."""
        for value in values:
            if value not in allowed:
                self.wrong(key, f"{value!r} is none of {', '.join(sorted(allowed))}")

    def nothing_left(self) -> None:
        """Note each key that nobody has taken."""
        for key in self._values:
            self.wrong(key, "is not known here")

    def _take(self, key: str, kind: type[T], what: str, stand_in: T, default: T | None) -> T:
        """The value of a key, or a stand-in and a note; type() because a bool is an int and a datetime is a date."""
        value = self._values.pop(key, default)
        if type(value) is kind:
            taken: T = value
            return taken
        self.wrong(key, "is missing" if value is None else f"must be {what}")
        return stand_in
