"""Reading one table of a map, collecting what is wrong with it.

Owns the types of values and the words in which a mistake is told.  What the values mean is `rest_map.py`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from connectors.rest_record import TOP, Place, parse_place
from connectors.rest_template import Template, Tree, parse

T = TypeVar("T")
ODATA_FILTER = "$filter"
NOT_IN_A_PATH = ("?", "#", "%", "//", "/.", "\\", " ")


class Table:
    """One TOML table being read: each key is taken once, each mistake noted under its path, reading never stops."""

    def __init__(self, values: Mapping[str, Any], path: str, mistakes: list[str]) -> None:
        self._values = dict(values)
        self._path, self._mistakes = path, mistakes

    def __contains__(self, key: str) -> bool:
        """Whether the key is written, and nobody has taken it yet."""
        return key in self._values

    def wrong(self, key: str, why: str) -> None:
        """Note a mistake."""
        self._mistakes.append(f"{self._under(key)}: {why}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something; a default makes it optional."""
        if default is None and self._values.get(key) == "":
            self.wrong(key, "must not be empty")
        return self._take(key, str, "a text", "", default)

    def day(self, key: str) -> date:
        """A day, written without quotes."""
        return self._take(key, date, "a day like 2099-12-31", date.max, None)

    def items(self, key: str) -> Sequence[str]:
        """A list of texts; left out it is empty."""
        found = self._take(key, list, "a list of texts", [], [])
        if any(type(one) is not str for one in found):
            self.wrong(key, "must be a list of texts")
        return [one for one in found if type(one) is str]

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """One of a few texts."""
        value = self.text(key)
        if value and value not in allowed:
            self.wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def place(self, key: str, default: str | None = None) -> Place:
        """Where something stands in an answer."""
        return self._checked(key, self.text(key, default), parse_place, TOP)

    def path(self, key: str, allowed: frozenset[str]) -> Template:
        """A path under the address of the service."""
        text = self.text(key)
        if text and (not text.startswith("/") or any(sign in text for sign in NOT_IN_A_PATH)):
            self.wrong(key, "must be a plain path that begins with /")
        return self._parsed(key, text, allowed)

    def query(self, key: str, allowed: frozenset[str]) -> dict[str, Tree]:
        """Values of a query: texts, or tables that are sent as JSON."""
        table = self.table(key, {})
        found: dict[str, Tree] = {}
        for name in list(table._values):
            if isinstance(table._values[name], dict):
                found[name] = table.tree(name, allowed)
            else:
                found[name] = table._parsed(name, table.text(name), allowed)
                table._refuse_bare(name, found[name])
        return found

    def tree(self, key: str, allowed: frozenset[str]) -> Tree:
        """A table that is sent as JSON."""
        return self._tree(key, self._take(key, dict, "a table", {}, None), allowed)

    def table(self, key: str, default: dict[str, Any] | None = None) -> "Table":
        """A table inside this one."""
        # of a table that is missing altogether one mistake is enough
        mistakes = self._mistakes if key in self._values or default is not None else []
        return Table(self._take(key, dict, "a table", {}, default), self._under(key), mistakes)

    def tables(self) -> "dict[str, Table]":
        """Everything here, each a table."""
        return {key: self.table(key) for key in list(self._values)}

    def texts(self) -> dict[str, str]:
        """Everything here, each a text."""
        return {key: self.text(key) for key in list(self._values)}

    def nothing_left(self) -> None:
        """Note each key that nobody has taken: it is a misspelt one."""
        for key in self._values:
            self.wrong(key, "is not known here")

    def _tree(self, key: str, value: Any, allowed: frozenset[str]) -> Tree:
        match value:
            case str():
                return self._parsed(key, value, allowed)
            case dict():
                return {name: self._tree(f"{key}.{name}", one, allowed) for name, one in value.items()}
            case list():
                return [self._tree(f"{key}[{place}]", one, allowed) for place, one in enumerate(value)]
            case bool() | int() | float():
                return value
            case _:
                self.wrong(key, "is no value that JSON has")
                return Template(())

    def _refuse_bare(self, key: str, value: Tree) -> None:
        """A value without quotes would be a part of the filter's own language."""
        if key == ODATA_FILTER and isinstance(value, Template) and not all(slot.quoted for slot in value.slots):
            self.wrong(key, "a placeholder must stand in quotes: Field eq '{login}'")

    def _parsed(self, key: str, text: str, allowed: frozenset[str]) -> Template:
        return self._checked(key, text, lambda written: parse(written, allowed), Template(()))

    def _checked(self, key: str, text: str, read: Callable[[str], T], stand_in: T) -> T:
        try:
            return read(text)
        except ValueError as error:
            self.wrong(key, str(error))
            return stand_in

    def _take(self, key: str, kind: type[T], what: str, stand_in: T, default: T | None) -> T:
        """The value of a key, or a stand-in and a note; type() because a bool is an int and a datetime is a date."""
        value = self._values.pop(key, default)
        if type(value) is kind:
            taken: T = value
            return taken
        self.wrong(key, "is missing" if value is None else f"must be {what}")
        return stand_in

    def _under(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
