"""When a signing key takes over from the one before it.  Regulation 6.1 (the trail is sealed with them).

A key is published longer than anybody keeps our keys in a cache before it signs, and until the last token it signed
has run out (security.md, JWT and keys).  Owns these times.  Leaves alone making and destroying keys.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RotationRules:
    """Times around a change of keys.  Raises ValueError when a key would sign before all have heard of it."""

    publication: timedelta = timedelta(hours=1)  # from its making until it signs
    cached: timedelta = timedelta(seconds=300)  # how long others may keep our key set (Cache-Control)
    noticed: timedelta = timedelta(seconds=5)  # how long a process of ours goes on with what it knows
    leeway: timedelta = timedelta(seconds=60)  # how far clocks of those who check tokens are behind ours

    def __post_init__(self) -> None:
        if self.publication <= self.cached + self.noticed:
            raise ValueError("a key must be published for longer than the key set is cached")


@dataclass(frozen=True, slots=True)
class Handover:
    """From when the new key signs, and when the old one leaves the key set."""

    signs_from: datetime
    old_until: datetime


def hand_over(now: datetime, longest_token: timedelta, rules: RotationRules) -> Handover:
    """The times for a key made `now`; `longest_token` is the longest life of what keys sign, seals and hints apart."""
    signs_from = now + rules.publication
    return Handover(signs_from, signs_from + rules.noticed + longest_token + rules.leeway)
