"""The parameters of a request, read once: each at most one time, each readable (RFC 6749, 3.1 and 3.2).

Empty values count as absent.  Control characters, undecodable bytes and endless values make a parameter unreadable;
they would not survive a database or a redirect.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 4_096  # characters of one value
UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values by name; `faulty` names those that came twice or can't be read, whose value is not given out."""

    values: Mapping[str, str]
    faulty: frozenset[str]

    def get(self, name: str) -> str | None:
        """The value, or None when it is absent, empty or faulty."""
        return None if name in self.faulty else self.values.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """The blank-separated words of a value, in their order, each once."""
        return tuple(dict.fromkeys(word for word in (self.get(name) or "").split(" ") if word))


def read_parameters(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """The parameters among `pairs` of name and value, as they came."""
    values: dict[str, str] = {}
    faulty = set()
    for name, value in pairs:
        if name in values or len(value) > LONGEST or UNREADABLE.search(value):
            faulty.add(name)
        values[name] = value
    return Parameters({name: value for name, value in values.items() if value}, frozenset(faulty))
