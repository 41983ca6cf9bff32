"""Real stand-ins of the three connected systems, shared by all tests (everybody is a new person), and a worker."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import count
from typing import Any

import pytest
from flask import Flask

from connectors.kinds import KINDS
from connectors.standins.moodle import MoodleStandin
from connectors.standins.slapd import SlapdStandin, available
from connectors.standins.unet import UnetStandin
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import Workshop, open_workshop
from idp.settings import Settings
from tests.builders import settings_for
from tests.idp.provisioning.orders import Desk
from tests.missing import missing
from tests.postgres import free_port

NUMBERS = count(1)


@pytest.fixture(scope="session")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnetStandin]:
    with UnetStandin(tmp_path_factory.mktemp("unet")) as standin:
        yield standin


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlapdStandin]:
    if not available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd")) as standin:
        yield standin


@pytest.fixture
def moodle(tmp_path: Any) -> Iterator[MoodleStandin]:
    with MoodleStandin(tmp_path / "moodle") as standin:
        yield standin


@pytest.fixture
def targets(unet: UnetStandin, moodle: MoodleStandin, slapd: SlapdStandin) -> dict[str, dict[str, Any]]:
    return {
        "unet": asdict(unet.settings),
        "moodle": asdict(moodle.with_cohorts) | {"timeout": 1.0},
        "mail": asdict(slapd.settings),
    }


@pytest.fixture
def at_target(targets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Connectors of our own to look into the stand-ins with."""
    return {code: KINDS[code].factory(KINDS[code].settings(**values)) for code, values in targets.items()}


@pytest.fixture
def settings(database_url: str, targets: dict[str, dict[str, Any]]) -> Settings:
    """Nobody listens where mail goes, unless the test is about mail."""
    mail = {"sender": "achkych@kstu.kg", "starttls": False, "port": free_port(), "timeout": 2}
    return settings_for(database_url, targets=targets, mail=mail)


@pytest.fixture
def workshop(app: Flask) -> Workshop:
    """Without chance: retries come exactly when the rules say."""
    return replace(open_workshop(app), chance=lambda: 0.0)


@pytest.fixture
def runner(workshop: Workshop) -> Runner:
    return Runner(workshop)


@pytest.fixture
def desk(app: Flask) -> Desk:
    return Desk(app)


@pytest.fixture
def number() -> int:
    """Somebody the stand-ins have never heard of."""
    return next(NUMBERS)
