"""What a worker works with: the service, the connectors, its own name and its lanes."""

import os
import random
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask

from connectors.base import BY_HAND, MANUAL, Connector
from idp.provisioning.sweep import EVENTS_QUEUE, LOGOUT_QUEUE, MAIL_QUEUE, ORDERS_QUEUE
from idp.provisioning.targets import connect_targets
from idp.service import Service

MOST_CALLS = 16  # that bringing one account in line can take (connectors/google.py: find, rename and move, read back)
MOST_READS = 2  # that a target can take which is only read: a page of a scan, or a look at one account


@dataclass(frozen=True)
class Workshop:
    """One worker process.  `chance` gives numbers in [0, 1) that spread retries."""

    app: Flask
    service: Service
    targets: Mapping[str, Connector]
    chance: Callable[[], float] = random.random

    @property
    def lease(self) -> timedelta:
        """Longer than a task can take with the slowest of the targets."""
        slowest = max(map(_longest, self.targets.values()), default=0.0)
        return timedelta(seconds=max(self.service.settings.worker.lease_seconds, slowest))

    @property
    def lanes(self) -> dict[str, int]:
        """Queue -> how many of its works are done at the same time; a slow system fills only its own lane.

        Applying orders is all database: more would only wait.  One client or receiver that does not answer must not keep
        all others from hearing of a logout or an event.
        """
        most = self.service.settings.worker.threads
        lanes = {ORDERS_QUEUE: min(2, most), MAIL_QUEUE: 1, LOGOUT_QUEUE: most, EVENTS_QUEUE: most}
        for system in self.service.profile.systems:
            if system.kind != MANUAL:
                target = self.targets.get(system.code)
                lanes[system.code] = min(most, target.capabilities.concurrency) if target else 1
        return lanes

    def owner(self) -> str:
        """Who claims: this machine, process and thread."""
        return f"{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}"


def _longest(target: Connector) -> float:
    """Seconds that one piece of work with this target can take."""
    calls = MOST_READS if target.kind in BY_HAND else MOST_CALLS
    return calls * target.capabilities.timeout + target.capabilities.settle_seconds


def open_workshop(app: Flask) -> Workshop:
    """Get everything ready to work.  Raises `ConfigurationError` for targets that do not hold."""
    built: Service = app.extensions["achkych"]
    return Workshop(app, built, connect_targets(built))
