"""A target that faults are planted in: Moodle's stand-in, which can be down, err by odds, and be looked into."""

import json
import random
from collections import Counter
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from connectors.moodle import FIELDS
from connectors.standins.moodle import MoodleStandin

OWN = 3  # accounts the site has by itself: they are nobody's
Fault = int | str
User = dict[str, Any]


class Dice(list[Any]):
    """Stands where a stand-in keeps its planted faults, and has one for each call by odds."""

    def __init__(self, odds: dict[Fault, float], seed: int) -> None:
        super().__init__(["never empty"])
        self.thrown: Counter[Fault | None] = Counter()
        self._odds, self._chance = odds, random.Random(seed)

    def pop(self, _index: Any = 0) -> Fault | None:
        sides, weights = [None, *self._odds], [1 - sum(self._odds.values()), *self._odds.values()]
        (fault,) = self._chance.choices(sides, weights)
        self.thrown[fault] += 1
        return fault


class Target(MoodleStandin):
    """Keeps its users in memory, also while it is down."""

    def serve(self, address: tuple[str, int]) -> HTTPServer:
        kept = getattr(self, "site", None)
        server = super().serve(address)
        self.site = kept or self.site
        return server

    def go_down(self) -> None:
        """Nobody answers at its port any more."""
        self.__exit__(None, None, None)

    def come_up(self) -> None:
        """At the same port, with the same users."""
        self._wanted_port = self.port
        self.__enter__()

    @property
    def people(self) -> list[User]:
        """Users that are neither the site's own nor deleted."""
        return [user for user in self.site.users.values() if user["id"] > OWN and not user["deleted"]]

    def user(self, remote_id: str) -> User:
        return self.site.users[int(remote_id)]

    @property
    def doubled(self) -> int:
        """Accounts there that are one too many."""
        return sum(count - 1 for count in Counter(str(user["idnumber"]) for user in self.people).values())

    @property
    def snapshot(self) -> dict[int, str]:
        """All that is there, to be compared later."""
        return {number: json.dumps(user, sort_keys=True) for number, user in self.site.users.items()}

    def _save(self) -> None:
        """Nothing: writing thousands of users down after each call is not what is tried."""


def is_as(user: User | None, active: bool, attributes: dict[str, Any]) -> bool:
    """Whether it is as wanted; of one that is to be closed only that it is."""
    if user is None or user["deleted"] or user["suspended"]:
        return not active
    return active and all(
        str(user[field]) == str(attributes[name]) for name, field in FIELDS.items() if attributes.get(name)
    )


def target_in(folder: Path, name: str) -> Target:
    """One with a token of its own."""
    return Target(folder / name, token=f"token-of-{name}")
