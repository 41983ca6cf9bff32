"""Serving: web processes, with or without a worker beside them.

The application is built here, once, and Granian's processes are forked from it: they share its memory, and a mistake in
the settings is told before any of them starts.  No connection and no thread of the application is alive at that
moment; each process makes its own when it first needs them.  New code or settings want a restart, not a SIGHUP.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from idp.db import db
from idp.log import configure_logging
from idp.settings import Settings, load_settings
from idp.wsgi import build_web

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
    load = partial(_take_over, _ready())
    multiprocessing.set_start_method("fork", force=True)  # Granian asks for it; not the default everywhere
    server = Granian(
        target="idp.wsgi:build_web",
        interface=Interfaces.WSGI,
        address=settings.bind,
        port=settings.port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        log_access=False,
        websockets=False,
    )
    server.serve(target_loader=load, wrap_loader=False)


def _ready() -> Flask:
    """The application as all processes may share it."""
    app = build_web()
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)  # else each process would compile them for itself
    with app.app_context():
        db.engine.dispose()  # a connection belongs to one process
    gc.collect()
    gc.freeze()  # the collector would write to every page it looks at, and end their sharing
    return app


def _take_over(app: Flask) -> Flask:
    """In the process that serves: Granian has set up logging in its own way."""
    configure_logging()
    return app
