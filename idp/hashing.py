"""Password hashing behind a bulkhead (stack.md, Argon2 under load).

Argon2id takes ~20 ms of a core.  Each process hashes on one niced thread behind a short queue: a storm of
sign-ins slows sign-ins, not the token endpoint, and memory stays bounded.  A full queue is `Busy`: whoever waits in it
holds a thread of the web process, and some must be left for everybody else.
"""

import base64
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from idp.errors import Busy

T = TypeVar("T")
NICENESS = 10


@cache
def _dummy(memory_kib: int, rounds: int, lanes: int) -> str:
    """What a password is held against when nobody has the login."""
    argon2 = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes)
    return argon2.hash("a login nobody has")


class Hasher:
    """Argon2id with the parameters of the settings, one at a time; `room` is how many may wait or be at work."""

    def __init__(self, memory_kib: int, rounds: int, lanes: int, room: int) -> None:
        self._argon2 = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes)
        self._thread = ThreadPoolExecutor(1, "hashing", initializer=_be_nice)
        self.room = room
        self._room = threading.BoundedSemaphore(room)
        self.dummy = _dummy(memory_kib, rounds, lanes)

    def hash(self, password: str, salt_of: str | None = None) -> str:
        """A PHC string.  `salt_of` is an earlier hash of the same account: with one salt for all passwords of an
        account, «was it used before» costs a single evaluation (5.1)."""
        return self._queue(lambda: self._argon2.hash(password, salt=salt(salt_of) if salt_of else None))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` belongs to `stored`; `None` (no such account) costs the same and is False."""
        matches = self._queue(lambda: self._matches(stored or self.dummy, password))
        return matches and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def _queue(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            return self._thread.submit(work).result()
        finally:
            self._room.release()


def _be_nice() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)  # of this thread alone, on Linux


def salt(phc: str) -> bytes:
    """The salt inside a PHC string ``$argon2id$v=19$m=..,t=..,p=..$salt$hash``."""
    encoded = phc.split("$")[4]
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4))
