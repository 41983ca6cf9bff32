"""The parameters of a request, read once: each at most one time, each readable (RFC 6749, 3.1 and 3.2).

Empty values count as absent.  Control characters, undecodable bytes and endless values make a parameter unreadable;
they would not survive a database or a redirect.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LONGEST = 4_096  # characters of one value
DOCUMENTS = frozenset({
    "request", "client_assertion", "claims", "authorization_details", "token", "access_token", "subject_token",
    "actor_token", "id_token_hint",
})  # fmt: skip  # whole documents may be longer
LONGEST_DOCUMENT = 16_384
MAY_REPEAT = frozenset({"resource", "audience"})  # RFC 8707, 2; RFC 8693, 2.1
MOST = 1_000  # parameters of one request; with more of them none can be read
MOST_REPEATED = 50  # values of one parameter
UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values by name; `faulty` names those that came twice or can't be read, whose value is not given out.

    `repeated` has all values of those that may come several times.
    """

    values: Mapping[str, str]
    faulty: frozenset[str]
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value, or None when it is absent, empty or faulty."""
        return None if name in self.faulty else self.values.get(name)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a parameter that may come several times, each once."""
        return () if name in self.faulty else self.repeated.get(name, ())

    def words(self, name: str) -> tuple[str, ...]:
        """The blank-separated words of a value, in their order, each once."""
        return tuple(dict.fromkeys(word for word in (self.get(name) or "").split(" ") if word))


def read_parameters(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """The parameters among `pairs` of name and value, as they came."""
    values: dict[str, str] = {}
    repeated: dict[str, dict[str, None]] = {}
    faulty = set()
    for count, (name, value) in enumerate(pairs):
        if count == MOST:
            return Parameters({}, frozenset(values))
        again = name in values and name not in MAY_REPEAT
        if again or len(value) > _longest(name) or UNREADABLE.search(value):
            faulty.add(name)
        if name in MAY_REPEAT and value:
            repeated.setdefault(name, {})[value] = None
        values[name] = value
    said = {name: value for name, value in values.items() if value}
    faulty.update(name for name, all_ in repeated.items() if len(all_) > MOST_REPEATED)
    return Parameters(said, frozenset(faulty), {name: tuple(all_) for name, all_ in repeated.items()})


def _longest(name: str) -> int:
    return LONGEST_DOCUMENT if name in DOCUMENTS else LONGEST
