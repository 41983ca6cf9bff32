"""Replacing signing keys: in good time, or at once when one was stolen; and telling how each stands.

A key in good hands retires: it goes on proving what it signed long ago, seals of the trail and hints.  A stolen key is
destroyed: its private half, from which alone keys are checked, is wiped, so nothing it signed is accepted any more.
The seals it had made are made again by the new key, as far as they still hold (`seal_audit.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.seal_audit import seal_again
from idp.flows.signing_keys import (
    StoredKey,
    forget_keys,
    keys_as_of,
    lock_keys,
    make_signing_key,
    read_keys,
    stored_keys,
)
from idp.models import SigningKey
from policies.key_rotation import Handover, RotationRules, hand_over

RULES = RotationRules()


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of one algorithm: the next key and since when it signs; `made` is False when it was there already.

    `replaced` counts the keys that retire or were destroyed, `sealed_again` the days of the trail with a new seal.
    """

    algorithm: str
    kid: str
    signs_from: datetime
    made: bool
    replaced: int = 0
    sealed_again: int = 0


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key and how it stands: waiting, signing, running out, retired or destroyed."""

    kid: str
    algorithm: str
    state: str
    active_from: datetime
    retired_at: datetime | None


def rotate_keys(here: Here, algorithms: Collection[str], at_once: bool = False) -> list[Rotation]:
    """Give each algorithm a new key; the old one signs on until all have heard of the new one (`key_rotation`).

    `at_once` is for theft: the new key signs now, and every key there is for the algorithm, of long ago too, is
    destroyed.  Of two commands at the same time, the second finds the work of the first and leaves it.
    """
    seen = read_keys(here.now).signing  # before waiting for anybody
    lock_keys()
    keys = stored_keys()
    rotate = _replace_stolen if at_once else _rotate
    rotations = [
        rotate(here, name, [key for key in keys if key.algorithm == name], seen.get(name)) for name in algorithms
    ]
    forget_keys()
    return rotations


def list_keys(here: Here) -> list[ListedKey]:
    """Every key there ever was, by algorithm, the oldest first."""
    keys = stored_keys()
    ring = keys_as_of(keys, here.now)
    signing = {key.kid for key in ring.signing.values()}
    published = {key.kid for key in ring.published}

    def state(key: StoredKey) -> str:
        if not key.private:
            return "destroyed"
        if key.kid in signing:
            return "signing"
        if key.kid not in published:
            return "retired"
        return "waiting" if key.active_from > here.now else "running out"

    listed = [ListedKey(key.kid, key.algorithm, state(key), key.active_from, key.retired_at) for key in keys]
    return sorted(listed, key=lambda key: key.algorithm)


def _rotate(here: Here, algorithm: str, keys: list[StoredKey], _seen: StoredKey | None) -> Rotation:
    """A key that waits for its time already is the next one."""
    going = [key for key in keys if key.private and key.retired_at is None]
    waiting = next((key for key in going if key.active_from > here.now), None)
    if waiting is not None:
        return Rotation(algorithm, waiting.kid, waiting.active_from, made=False)
    handover = _handover(here)
    new = make_signing_key(here, algorithm, handover.signs_from if going else here.now)
    for key in going:
        _retire(here, key, handover.old_until)
    return Rotation(algorithm, new.kid, new.active_from, made=True, replaced=len(going))


def _replace_stolen(here: Here, algorithm: str, keys: list[StoredKey], seen: StoredKey | None) -> Rotation:
    """Unless somebody else has replaced the key that was seen at the beginning."""
    signing = keys_as_of(keys, here.now).signing.get(algorithm)
    if signing is not None and (seen is None or signing.kid != seen.kid):
        return Rotation(algorithm, signing.kid, signing.active_from, made=False)
    new = make_signing_key(here, algorithm, here.now)
    stolen = [key for key in keys if key.private]
    sealed_again = seal_again(here, {key.kid for key in stolen}, new)
    for key in stolen:
        _destroy(here, key)
    return Rotation(algorithm, new.kid, here.now, True, len(stolen), sealed_again)


def _handover(here: Here) -> Handover:
    tokens = here.service.profile.rules.tokens
    return hand_over(here.now, max(tokens.access, tokens.id_token), RULES)


def _retire(here: Here, key: StoredKey, at: datetime) -> None:
    db.session.execute(sa.update(SigningKey).where(SigningKey.kid == key.kid).values(retired_at=at))
    _tell(here, "signing-key-retires", key, {"retired_at": key.retired_at}, {"retired_at": at})


def _destroy(here: Here, key: StoredKey) -> None:
    at = min(key.retired_at or here.now, here.now)
    db.session.execute(sa.update(SigningKey).where(SigningKey.kid == key.kid).values(retired_at=at, private=b""))
    _tell(here, "signing-key-destroyed", key, {"destroyed": False}, {"destroyed": True})


def _tell(here: Here, act: str, key: StoredKey, before: dict[str, object], after: dict[str, object]) -> None:
    what = {"algorithm": key.algorithm}
    record(here, act, subject=f"key/{key.kid}", before=what | before, after=what | after)
