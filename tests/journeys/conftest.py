"""Journeys: whole stories in Chromium against the service as it is really served, on loopback.

Every page of every journey is watched: a script error, a refusal by the Content-Security-Policy, a file that is
missing or a failure of the service fails the test, whatever it is about.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from idp.clock import SetClock
from idp.settings import Settings
from tests.builders import Make, settings_for
from tests.conftest import _postgres_copy, _sqlite_copy
from tests.journeys.scene import Scene
from tests.journeys.watch import Watch
from tests.missing import missing
from tests.postgres import free_port

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")  # fmt: skip
PATIENCE = 10_000  # milliseconds
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the watch tells what went wrong."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium-headless-shell")
    if program is None:
        missing("the Debian package chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def axe() -> str:
    """The script that finds barriers; evaluated in each page that is searched."""
    if not AXE.exists():
        missing("axe-core")
    return AXE.read_text("utf8")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, templates: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """SQLite, unless the journey asks for both by `@on_both`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield _sqlite_copy(templates, tmp_path)
    else:
        yield from _postgres_copy(templates, request.getfixturevalue("postgres"))


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, base_url=f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def scene(app: Flask, make: Make, settings: Settings, clock: SetClock) -> Iterator[Scene]:
    """The service, served; and the people of the story."""
    server = make_server("127.0.0.1", int(settings.host.partition(":")[2]), app, threaded=True, request_handler=Quiet)
    server.daemon_threads = False  # closing waits for what is being answered: it needs the application to the end
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Scene(app, make)
    server.shutdown()
    thread.join()
    server.server_close()


Browse = Callable[..., Page]


@pytest.fixture
def browse(chromium: Browser, scene: Scene) -> Iterator[Browse]:
    """A person's browser: `browse(locale="ru")`, with what a browser context takes.  English unless told otherwise."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_browser(**options: Any) -> Page:
        context = chromium.new_context(**({"base_url": scene.base, "locale": "en"} | options))
        context.set_default_timeout(PATIENCE)
        opened.append((context, Watch(context)))
        return context.new_page()

    yield open_browser
    for context, _ in opened:
        context.close()
    for _, watch in opened:
        assert watch.seen == []
