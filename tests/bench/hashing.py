"""What one bare Argon2id check costs on this machine now: the measure a password sign-in is held to."""

import threading
import time

from argon2 import PasswordHasher

from idp.settings import Hashing

COST = {"memory_cost": Hashing().memory_kib, "time_cost": Hashing().rounds, "parallelism": Hashing().lanes}
HASHER = PasswordHasher(COST["time_cost"], COST["memory_cost"], COST["parallelism"])


def bare_hash(seconds: float, at_once: int) -> float:
    """CPU ms of one check, without a service around it.

    With as many `at_once` as there are web processes, a hash has the same company as in the service: two that share
    the caches and the memory of a machine may both take longer than one alone.
    """
    stored, spent = HASHER.hash("a password"), [(0.0, 0)] * at_once
    deadline = time.monotonic() + seconds

    def check(number: int) -> None:
        begun, count = time.thread_time(), 0
        while time.monotonic() < deadline:
            HASHER.verify(stored, "a password")
            count += 1
        spent[number] = (time.thread_time() - begun, count)

    threads = [threading.Thread(target=check, args=(number,)) for number in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(cpu for cpu, _ in spent) / sum(count for _, count in spent) * 1000
