"""Which of the two engines carries out the work: the database decides."""

import signal
from types import FrameType

from flask import Flask

from idp.provisioning.queue import run_queue
from idp.provisioning.runner import Runner
from idp.provisioning.wake import on_postgresql, wake_workers
from idp.provisioning.workshop import open_workshop


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
