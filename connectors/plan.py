"""From the wanted state and what was read back to the changes to make.  Pure, and the same for all connectors.

Owns the comparison: what counts as equal, what is ours to change, what cannot be done.  A dry run is this and no write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.base import LISTS, Capabilities, Json, Remote, Wanted

CASELESS = frozenset({"login", "email", "department", "student_group"})
"""Several targets fold them, a department or group as part of an address or idnumber; a difference in case alone is none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute, value before and value after."""

    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one account in one system; can be printed, masked, refused."""

    act: Literal["create", "update", "nothing"]
    changes: dict[str, Change] = field(default_factory=dict)  # canonical names and 'active'
    unsupported: tuple[str, ...] = ()  # wanted, but this connector cannot write it


def plan(wanted: Wanted, seen: Remote | None, capabilities: Capabilities) -> Plan:
    """A closed account that was never there needs nothing; otherwise the act follows from the difference."""
    changes = drift(wanted, seen, capabilities)
    unsupported = _unsupported(wanted, capabilities)
    if not changes:
        return Plan("nothing", {}, unsupported)
    return Plan("create" if seen is None else "update", changes, unsupported)


def drift(wanted: Wanted, seen: Remote | None, capabilities: Capabilities) -> dict[str, Change]:
    """Where the target differs from what is wanted, in attributes we own; empty means it converged."""
    if not wanted.active:
        return _closing(seen)
    before = {} if seen is None else seen.attributes
    changes = {name: Change(before.get(name), value) for name, value in _ours(wanted, capabilities)
               if not _same(name, before.get(name), value)}  # fmt: skip
    if seen is None or not seen.active:
        changes["active"] = Change(None if seen is None else False, True)
    return changes


def values(changes: Mapping[str, Change]) -> dict[str, Json]:
    """The changes as `Connector.update` takes them: attribute -> value after."""
    return {name: change.after for name, change in changes.items()}


def _closing(seen: Remote | None) -> dict[str, Change]:
    """For a closed account only 'active' matters: its other attributes stay as they were on the last day."""
    return {"active": Change(True, False)} if seen is not None and seen.active else {}


def _ours(wanted: Wanted, capabilities: Capabilities) -> Iterable[tuple[str, Json]]:
    return ((name, value) for name, value in wanted.attributes.items() if name in capabilities.attributes)


def _unsupported(wanted: Wanted, capabilities: Capabilities) -> tuple[str, ...]:
    if not wanted.active:
        return ()
    return tuple(sorted(n for n, value in wanted.attributes.items() if value and n not in capabilities.attributes))


def _same(name: str, before: Json, after: Json) -> bool:
    return _comparable(name, before) == _comparable(name, after)


def _comparable(name: str, value: Json) -> object:
    """Absent, null and empty are one thing: targets leave empty fields out of their answers.  Lists are sets."""
    if value is None or value == "" or value == []:
        return None
    if name in LISTS and isinstance(value, list | tuple):
        return frozenset(str(item) for item in value) or None
    return value.casefold() if name in CASELESS and isinstance(value, str) else value
