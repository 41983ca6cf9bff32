"""What all tests share: the service on both databases, a clock that stands still, and builders of people.

Each test gets a database of its own, copied from one that the migrations built.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

import migrations
from idp.app import create_app
from idp.clock import SetClock
from idp.db import db
from idp.flows.here import at_work
from idp.flows.load_profile import load_profile
from idp.service import build_service
from idp.settings import Settings
from tests.builders import Make, settings_for
from tests.missing import missing
from tests.postgres import binaries, postgres_server

DATABASES = ("sqlite", "postgresql")
NUMBERS = count(1)


SLOW = ("journeys", "clients", "bench", "cli")  # folders of few tests that take long: browsers, servers, processes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that no core waits for the last of them."""
    items.sort(key=lambda item: not set(item.path.parts).intersection(SLOW))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    if binaries() is None:
        missing("the Debian package postgresql")
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Databases that the migrations built and the profile filled, by kind; copied for each test."""
    return {"folder": tmp_path_factory.mktemp("templates")}


def _fill(database_url: str) -> None:
    migrations.upgrade(database_url)
    app = create_app(settings_for(database_url), SetClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with app.app_context():
        load_profile(at_work(app.extensions["achkych"], "test"))
        db.session.info.clear()  # the trail of each test begins empty
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, templates: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """An own, migrated database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield _sqlite_copy(templates, tmp_path)
    else:
        yield from _postgres_copy(templates, request.getfixturevalue("postgres"))


def _sqlite_copy(templates: dict[str, Any], folder: Path) -> str:
    if "sqlite" not in templates:
        templates["sqlite"] = templates["folder"] / "template.db"
        _fill(f"sqlite:///{templates['sqlite']}")
    copy = folder / "achkych.db"
    shutil.copy(templates["sqlite"], copy)
    return f"sqlite:///{copy}"


def _postgres_copy(templates: dict[str, Any], server: str) -> Iterator[str]:
    admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        if "postgresql" not in templates:
            connection.execute(sa.text("CREATE DATABASE template_achkych"))
            _fill(f"{server}/template_achkych")
            templates["postgresql"] = "template_achkych"
        name = f"test_{next(NUMBERS)}"
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template_achkych"))
        yield f"{server}/{name}"
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def clock() -> SetClock:
    """A Wednesday noon in Bishkek."""
    return SetClock(datetime(2026, 9, 9, 6, 0, tzinfo=UTC))


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url)


@pytest.fixture
def app(settings: Settings, clock: SetClock) -> Iterator[Flask]:
    """The service, wired; no application context is open."""
    app = create_app(settings, clock)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def make(app: Flask) -> Make:
    """Builders: `make.account(login="aida", password=...)`, `make.officer(...)`, `make.client(...)`."""
    return Make(app)


@pytest.fixture(scope="session")
def profile() -> Any:
    return build_service(settings_for("sqlite://")).profile
