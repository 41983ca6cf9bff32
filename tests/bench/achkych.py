"""Starts Achkych for the bench: two web processes as in service, on a fresh database of either kind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from idp.app import create_app
from idp.crypto import new_key
from idp.db import db
from idp.settings import Settings
from tests.bench.load import HANDS
from tests.bench.processes import parent_of
from tests.bench.provider import CALLBACK, WORKERS, Client, NotDrivenError, Provider, Someone, running
from tests.builders import Make
from tests.idp.oauth.driver import Party, Registered
from tests.postgres import binaries, free_port, postgres_server

# What the bench's clients register beyond the usual: tokens signed as the others sign them.
SIGNATURES = {"access_token_signed_response_alg": "ES256", "id_token_signed_response_alg": "ES256"}


@contextmanager
def achkych(kind: str, folder: Path, people: int = HANDS, profile: str = "kstu") -> Iterator[Provider]:
    """The service on `sqlite` or `postgresql`, with so many people, by a profile; `folder` is
    empty.  Raises `NotDrivenError`."""
    with _database(kind, folder) as url:
        settings = _configure(folder, url, profile)
        environment = os.environ | {"ACHKYCH_CONFIG": str(folder / "achkych.toml")}
        subprocess.run([sys.executable, "-m", "idp", "migrate"], check=True, timeout=120, env=environment,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        machine, client, known = _prepare(settings, people)
        command = [sys.executable, "-m", "idp", "web"]
        with running("achkych", command, settings.port, folder / "log", environment) as pid:
            yield Provider(
                name=f"Achkych, {kind}",
                version=f"Python {sys.version.split()[0]}",
                port=settings.port,
                pid=pid,
                log=folder / "log",
                client=client,
                machine=machine,
                people=known,
                database=_postmaster(url) if kind == "postgresql" else None,
            )


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
    elif binaries() is None:
        raise NotDrivenError("the Debian package postgresql is missing")
    else:
        with postgres_server() as address:
            yield f"{address}/postgres"


def _postmaster(url: str) -> int:
    """The database server's first process; all that work for connections are below it."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        return parent_of(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())


def _configure(folder: Path, url: str, profile: str) -> Settings:
    """Write the settings where the processes find them."""
    port = free_port()
    text = f"""
environment = "development"
base_url = "http://127.0.0.1:{port}"
database_url = "{url}"
profile = "{profile}"
port = {port}
web_processes = {WORKERS}
[secrets]
pages = "{new_key()}"
lookup = "{new_key()}"
active = "k1"
sealing = {{ k1 = "{new_key()}" }}
[mail]
sender = "achkych@example.org"
starttls = false
"""
    (folder / "achkych.toml").write_text(text)
    os.environ["ACHKYCH_CONFIG"] = str(folder / "achkych.toml")
    return Settings()  # type: ignore[call-arg]  # the values come from the file


def _prepare(settings: Settings, people: int) -> tuple[Client, Client, list[Someone]]:
    """A client for itself, one for people, and a person for each hand."""
    app = create_app(settings)
    party = Party(app, Make(app))
    machine = party.client(grant_types=["client_credentials"], redirect_uris=[], **SIGNATURES)
    client = party.client(redirect_uris=[CALLBACK], **SIGNATURES)
    made = [party.make.account(f"person{number}") for number in range(people)]
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return _known(machine), _known(client), [Someone(person.login, person.password) for person in made]


def _known(registered: Registered) -> Client:
    return Client(registered.client_id, registered.secret or "")
