"""People who sign in at the real web processes of a ground while something else goes on there."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from idp.db import unit_of_work
from idp.flows.signing_keys import ensure_signing_keys
from tests.bench.achkych import SIGNATURES
from tests.bench.flows import Flows
from tests.bench.load import Connection, Tally, WrongError
from tests.bench.provider import CALLBACK, Client, Provider, Someone, running
from tests.builders import Make
from tests.faults.ground import Ground
from tests.idp.oauth.driver import Party
from tests.idp.provisioning.engine import environment

PEOPLE, PAUSE = 20, 0.25  # people who take turns; seconds between two sign-ins
COMMAND = ["-m", "idp", "web"]


@contextmanager
def signing_in(ground: Ground, python: str) -> Iterator[Tally]:
    """From entering to leaving somebody signs in, one after another, each in a fresh browser."""
    app, log = ground.desk.app, ground.folder / "web.log"
    client, people = _people(app)
    port, over = ground.settings.port, threading.Event()
    with running("web", [python, *COMMAND], port, log, environment(ground.settings)) as pid:
        flows = Flows(Provider("web", "", port, pid, log, client, client, people))
        tally = Tally()
        thread = threading.Thread(target=_sign_in, args=(flows, tally, over))
        thread.start()
        try:
            yield tally
        finally:
            over.set()
            thread.join()


def _people(app: Flask) -> tuple[Client, list[Someone]]:
    make = Make(app)
    with app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    registered = Party(app, make).client(redirect_uris=[CALLBACK], **SIGNATURES)
    made = [make.account(f"reader{number}", systems=("lms",)) for number in range(PEOPLE)]
    return Client(registered.client_id, registered.secret or ""), [Someone(one.login, one.password) for one in made]


def _sign_in(flows: Flows, tally: Tally, over: threading.Event) -> None:
    connection, turn = Connection(flows.provider.address), 0
    while not over.wait(PAUSE):
        began, turn = time.perf_counter(), turn + 1
        try:
            flows.sign_in(connection, turn % PEOPLE)
            tally.latencies.append(time.perf_counter() - began)
        except (WrongError, OSError, ValueError) as error:
            tally.wrong.append(f"{type(error).__name__}: {error}"[:200])
            connection.close()
    connection.close()
