"""What a worker works with: the service, the connectors, its own name."""

import os
import random
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask

from connectors.base import Connector
from idp.provisioning.targets import connect_targets
from idp.service import Service


@dataclass(frozen=True)
class Workshop:
    """One worker process.  `chance` gives numbers in [0, 1) that spread retries."""

    app: Flask
    service: Service
    targets: Mapping[str, Connector]
    chance: Callable[[], float] = random.random

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.service.settings.worker.lease_seconds)

    def owner(self) -> str:
        """Who claims: this machine, process and thread."""
        return f"{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}"


def open_workshop(app: Flask) -> Workshop:
    """Get everything ready to work.  Raises `ConfigurationError` for targets that do not hold."""
    built: Service = app.extensions["achkych"]
    return Workshop(app, built, connect_targets(built))
