"""Serving: web processes, with or without a worker beside them."""

import os
import signal
import subprocess
import sys
import threading

import click
from granian import Granian
from granian.constants import Interfaces

from idp.log import configure_logging
from idp.settings import Settings, load_settings

GOODBYE = 60  # seconds for the worker to finish what is under way


@click.command()
def serve() -> None:
    """Web and worker on this machine."""
    settings = load_settings()
    helper = subprocess.Popen([sys.executable, "-m", "idp", "worker"])
    threading.Thread(target=_leave_with, args=[helper], daemon=True).start()
    try:
        _listen(settings)
    finally:
        helper.send_signal(signal.SIGTERM)
        helper.wait(timeout=GOODBYE)


def _leave_with(helper: subprocess.Popen[bytes]) -> None:
    """Half a service is none: when the worker ends, the web processes end too, and whoever started us sees it."""
    helper.wait()
    os.kill(os.getpid(), signal.SIGTERM)


@click.command()
def web() -> None:
    """Only the web processes."""
    _listen(load_settings())


def _listen(settings: Settings) -> None:
    configure_logging()
    server = Granian(
        target="idp.wsgi:build_web",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.bind,
        port=settings.port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        log_access=False,
        websockets=False,
    )
    server.serve()
