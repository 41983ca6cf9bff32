"""Which of the two engines carries out the work: the database decides."""

import signal
from types import FrameType

from flask import Flask

from idp.provisioning.queue import run_queue, wake_by_queue
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import open_workshop


def on_postgresql(app: Flask) -> bool:
    """Whether this installation runs on PostgreSQL."""
    return bool(app.extensions["achkych"].settings.database_url.startswith("postgresql"))


def wake_workers(app: Flask) -> None:
    """Have what this process leaves be taken up at once where the engine can; SQLite's looks twice a second anyway."""
    if on_postgresql(app):
        wake_by_queue(app)


def run_worker(app: Flask) -> None:
    """Work until the process is told to stop."""
    workshop = open_workshop(app)
    wake_workers(app)
    if on_postgresql(app):
        run_queue(workshop)
        return
    runner = Runner(workshop)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        runner.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    runner.run()
