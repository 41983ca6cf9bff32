"""The ground on which a scenario plays: a database on PostgreSQL, four targets, real workers, a clock that can be moved.

The targets run in this process, and so does the desk at which orders come in; workers are processes of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

import migrations
from idp.app import create_app
from idp.clock import RehearsalClock
from idp.db import db, reader, unit_of_work
from idp.flows.here import at_work
from idp.flows.load_profile import load_profile
from idp.models import Link, Order, Person, Scan, Task
from idp.provisioning.wake import prepare_queue, wake_workers
from idp.settings import Settings
from tests.builders import settings_for
from tests.faults.target import Target, is_as, target_in
from tests.idp.provisioning.engine import WorkerProcess, until
from tests.idp.provisioning.orders import Desk
from tests.postgres import free_port

PROFILE = Path(__file__).with_name("profile.toml")
STAFF, STUDENTS = ("lms", "library"), ("lms", "library", "tests", "practice")
SENDERS = 4  # threads that give orders; the desk has no more connections
LEASE = 30  # seconds: the shortest that settings allow
PATIENCE = 7200.0  # seconds
Body = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """One installation, empty at first."""

    folder: Path
    settings: Settings
    clock: RehearsalClock
    desk: Desk
    targets: dict[str, Target]

    @contextmanager
    def workers(self, number: int = 1) -> Iterator[list[WorkerProcess]]:
        """Running from entering to leaving; whoever kills one puts another in its place."""
        running = [self.worker() for _ in range(number)]
        try:
            yield running
        finally:
            for one in running:
                one.__exit__()

    def worker(self) -> WorkerProcess:
        return WorkerProcess(self.settings, self.folder / "worker.log")

    def send(self, bodies: Iterable[Body]) -> list[UUID]:
        """All of them, by several senders at once."""
        with ThreadPoolExecutor(SENDERS) as senders:
            return list(senders.map(self.desk.receive, bodies))

    def settle(self, seconds: float = PATIENCE) -> float:
        """Wait until nothing is left to do; how long that took."""
        return until(lambda: not self.unsettled, seconds)

    @property
    def unsettled(self) -> bool:
        """Whether an order is due or a task waits."""
        now = self.clock.now()
        due = sa.exists().where(Order.run_at <= now) | sa.exists().where(Person.review_at <= now)
        return bool(self.ask(sa.select(due | sa.exists().where(Task.status == "waiting"))))

    def ask(self, statement: Any) -> Any:
        """The one value that the database answers."""
        with self.desk.app.app_context(), reader().connect() as connection:
            return connection.execute(statement).scalar_one()

    def rows(self, statement: Any) -> list[Any]:
        with self.desk.app.app_context(), reader().connect() as connection:
            return list(connection.execute(statement))

    def count(self, row: Any, *which: Any) -> int:
        return int(self.ask(sa.select(sa.func.count(row.id)).where(*which)))

    @property
    def deadlocks(self) -> int:
        """That PostgreSQL has resolved in this database."""
        return int(self.ask(sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")))

    def astray(self, *systems: str) -> int:
        """Accounts that were to be brought into these systems, and are not as wanted there; failed tasks are such."""
        columns = (Link.system, Link.active, Link.attributes, Link.remote_id)
        told = sa.select(*columns).where(
            Link.system.in_(systems), sa.exists().where(Task.account_id == Link.account_id)
        )
        return sum(not self._is_there(*row) for row in self.rows(told))

    def _is_there(self, system: str, active: bool, attributes: dict[str, Any], remote_id: str | None) -> bool:
        user = self.targets[system].site.users.get(int(remote_id)) if remote_id else None
        return is_as(user, active, attributes)

    def doubled(self, *systems: str) -> int:
        return sum(self.targets[system].doubled for system in systems)

    def pass_time(self, **by: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**by))

    @property
    def today(self) -> date:
        return self.clock.now().date()

    def days_ago(self, days: int) -> dict[str, str]:
        """The dates of an order."""
        day = (self.today - timedelta(days=days)).isoformat()
        return {"approvedOn": day, "effectiveOn": day}


@dataclass(frozen=True)
class Grounds:
    """Gives grounds on one server of PostgreSQL, each with a database of its own."""

    server: str
    folder: Path
    name: str = "ground"  # its databases begin with it
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def ground(self, rules: str = "") -> Iterator[Ground]:
        """An empty installation; `rules` are added to its profile."""
        folder = self.folder / f"{self.name}-{next(self.numbers)}"
        folder.mkdir()
        profile = folder / "profile.toml"
        profile.write_text(PROFILE.read_text("utf8") + rules, "utf8")
        with ExitStack() as stack:
            targets = {code: stack.enter_context(target_in(folder, code)) for code in STUDENTS}
            settings = _settings(self._database(folder.name.replace("-", "_")), profile, folder, targets)
            clock = RehearsalClock(folder / "shift")
            desk = stack.enter_context(_desk(settings, clock))
            yield Ground(folder, settings, clock, desk, targets)

    def _database(self, name: str) -> str:
        admin = sa.create_engine(f"{self.server}/postgres", isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        migrations.upgrade(f"{self.server}/{name}")
        prepare_queue(f"{self.server}/{name}")
        return f"{self.server}/{name}"


def _settings(url: str, profile: Path, folder: Path, targets: dict[str, Target]) -> Settings:
    port = free_port()
    return settings_for(
        url,
        base_url=f"http://127.0.0.1:{port}",
        port=port,
        profile=str(profile),
        mail={"sender": "achkych@faults.example", "starttls": False, "port": free_port(), "timeout": 2},
        targets={code: asdict(one.settings) | {"timeout": 1.0} for code, one in targets.items()},
        worker={"lease_seconds": LEASE},
        rehearsal_shift=folder / "shift",
    )


@contextmanager
def _desk(settings: Settings, clock: RehearsalClock) -> Iterator[Desk]:
    """A web process: what it commits wakes the workers.  Systems count as looked through tonight."""
    app = create_app(settings, clock)
    with app.app_context(), unit_of_work():
        load_profile(at_work(app.extensions["achkych"], "faults"))
        db.session.flush()
        db.session.add_all(map(_looked_through, STUDENTS))
    wake_workers(app)
    yield Desk(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _looked_through(system: str) -> Scan:
    now = datetime.now(UTC)
    return Scan(system=system, asked_by="faults", started_at=now, finished_at=now, state="done", failures=0)


def without_mail(body: Body) -> Body:
    """Without an address for the invitation: mail is not what is tried."""
    for person in body["persons"]:
        person.pop("contacts", None)
    return body


def eventually(condition: Callable[[], Any]) -> float:
    """Wait for it with the patience of a scenario."""
    return until(condition, PATIENCE)
