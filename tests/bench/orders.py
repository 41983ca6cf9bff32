"""How many orders a second: `python -m tests.bench.orders [--database URL] [--orders 2000]`.

Hire orders, each of one person, are received one after another, while one worker process applies them and brings the
accounts into UNET's stand-in.  The clock runs from the first order received to the last account read back.  Without
--database both engines are measured: the runner on a fresh SQLite file, Procrastinate on a throw-away PostgreSQL.
CPU times tell whose work it was; that of PostgreSQL is not counted.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

import migrations
from connectors.standins.unet import UnetStandin
from idp.app import create_app
from idp.clock import SystemClock
from idp.db import reader, unit_of_work
from idp.flows.here import at_work
from idp.flows.load_profile import load_profile
from idp.models import Task
from idp.provisioning.wake import prepare_queue, wake_workers
from idp.settings import Settings
from tests.builders import settings_for
from tests.idp.provisioning.engine import WorkerProcess
from tests.idp.provisioning.orders import Desk, hire
from tests.postgres import free_port, postgres_server

PROFILE = Path(__file__).with_name("orders.toml")
PATIENCE = 900.0  # seconds
WARM_UP = 3.0  # seconds the worker takes to start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="URL of an empty database")
    parser.add_argument("--orders", type=int, default=2000)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        for url in [chosen.database] if chosen.database else both(Path(folder)):
            measure(url, chosen.orders, Path(folder))


def both(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/bench.db"
    with postgres_server() as server:
        admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE bench"))
        yield f"{server}/bench"


def measure(url: str, orders: int, folder: Path) -> None:
    kind = url.partition(":")[0].partition("+")[0]
    with UnetStandin(folder / f"unet-{kind}") as unet:
        settings = _settings(url, unet)
        desk = _prepare(settings)
        with WorkerProcess(settings, folder / f"worker-{kind}.log") as worker, desk.app.app_context():
            time.sleep(WARM_UP)
            before = _children()
            began, busy = time.monotonic(), time.process_time()
            for number in range(1, orders + 1):
                desk.receive(_hire(number))
            received, busy = time.monotonic() - began, time.process_time() - busy
            while _done() < orders:
                assert time.monotonic() - began < PATIENCE, f"stuck; see {worker.log}"
                assert worker.is_running, worker.log.read_text()
                time.sleep(0.1)
            seconds = time.monotonic() - began
            assert worker.stop() == 0
        worked = _children() - before
    simulated = _children() - before - worked
    print(
        f"{kind}: {orders} orders in {seconds:.1f} s = {orders / seconds:.1f}/s; received at {orders / received:.0f}/s;",
        f"CPU ms an order: receiving {1000 * busy / orders:.1f}, worker {1000 * worked / orders:.1f},",
        f"stand-in {1000 * simulated / orders:.1f}",
    )


def _hire(number: int) -> dict[str, Any]:
    """Without an address for the invitation: mail is not what is measured."""
    body = hire(number)
    del body["persons"][0]["contacts"]
    return body


def _settings(url: str, unet: UnetStandin) -> Settings:
    mail = {"sender": "achkych@bench.example", "starttls": False, "port": free_port()}
    return settings_for(url, profile=str(PROFILE), mail=mail, targets={"unet": asdict(unet.settings)})


def _prepare(settings: Settings) -> Desk:
    """The application of a web process, on a database that is ready."""
    migrations.upgrade(settings.database_url)
    app = create_app(settings, SystemClock())
    if settings.database_url.startswith("postgresql"):
        prepare_queue(settings.database_url)
    with app.app_context(), unit_of_work():
        load_profile(at_work(app.extensions["achkych"], "bench"))
    wake_workers(app)
    return Desk(app)


def _children() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _done() -> int:
    """Tasks whose account was read back at the target."""
    read_back = sa.select(sa.func.count()).where(Task.status == "done", Task.read_back.is_not(None))
    with reader().connect() as connection:
        return int(connection.scalar(read_back) or 0)


if __name__ == "__main__":
    main()
