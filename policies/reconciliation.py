"""What is wrong between a system and what is wanted there, and what may follow from it.  Regulation 3.6, 3.7.

Owns the verdict on one account, and when a scan is no ground to act on.  Leaves alone the comparison of attributes
(`connectors.plan`) and how a system is asked.
"""

from dataclasses import dataclass
from enum import Enum


class Found(Enum):
    """What a scan may find; the value is the kind of the finding."""

    MISSING = "missing"  # wanted there, and is not
    DIFFERING = "differing"  # is there, and looks otherwise
    OPEN = "open"  # is to be closed, and can be used
    TWIN = "twin"  # a second account with the id of one of ours
    EXTRA = "extra"  # can be used, and is nobody's that we know


MENDED_BY_A_TASK = frozenset({Found.MISSING, Found.DIFFERING, Found.OPEN})
"""What a worker can bring into line; the rest needs somebody who knows whose account it is."""


@dataclass(frozen=True, slots=True)
class ReconciliationRules:
    """Systems are looked through every night at `hour`; of what is found, `repair` is mended unasked, up to `at_once`.

    A scan that tells of `shrink` per cent fewer accounts than the one before is no ground for anything.
    """

    hour: int = 2  # local
    repair: frozenset[Found] = frozenset()
    at_once: int = 25
    shrink: int = 10


@dataclass(frozen=True, slots=True)
class Sight:
    """One account as a scan saw it there: whether it is `active`, which of ours it is if any (`linked`, or only said to
    be: `twin`), whether it is `wanted` open, and whether it `differs` from that."""

    active: bool
    linked: bool = False
    twin: bool = False
    wanted: bool = False
    differs: bool = False


def verdict(sight: Sight) -> Found | None:
    """What is wrong with it, or None."""
    if sight.linked and sight.wanted:
        return Found.DIFFERING if sight.differs or not sight.active else None
    if not sight.active:
        return None
    if sight.linked:
        return Found.OPEN
    return Found.TWIN if sight.twin else Found.EXTRA


def is_shrunk(found: int, before: int | None, rules: ReconciliationRules) -> bool:
    """Whether so many accounts less than the last time look like a fault of the system and not like news."""
    return before is not None and found * 100 < before * (100 - rules.shrink)


def may_repair(kind: Found, count: int, rules: ReconciliationRules) -> bool:
    """Whether `count` findings of a kind are mended without anybody being asked."""
    return kind in MENDED_BY_A_TASK and kind in rules.repair and count <= rules.at_once
