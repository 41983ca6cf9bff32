"""The service on a port of its own, by the machine's clock: clients check times themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.app import create_app
from idp.clock import SystemClock
from idp.db import db
from idp.flows.signing_keys import ensure_signing_keys
from tests.builders import Make, settings_for
from tests.clients.browser import Browser
from tests.clients.served import serving
from tests.conftest import _sqlite_copy
from tests.idp.oauth.driver import Party
from tests.postgres import free_port
from tests.rsa_keys import cheap_rsa_keys


@pytest.fixture
def database_url(templates: dict[str, Any], tmp_path: Path) -> str:
    return _sqlite_copy(templates, tmp_path)


@pytest.fixture
def issuer(database_url: str) -> Iterator[Party]:
    """The service, served; registers clients and makes people."""
    port = free_port()
    app = create_app(settings_for(database_url, base_url=f"http://127.0.0.1:{port}"), SystemClock())
    party = Party(app, Make(app))
    with cheap_rsa_keys(), app.app_context():
        ensure_signing_keys(party.make.here())
        db.session.commit()
        db.session.remove()
    with serving(app, port):
        yield party
    _close(app)


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def browser(issuer: Party) -> Iterator[Browser]:
    """A person's browser that knows forms and redirects and no script."""
    with Browser(issuer.base) as browser:
        yield browser
