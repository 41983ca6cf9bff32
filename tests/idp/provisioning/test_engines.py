"""Both engines as they run in earnest: worker processes, woken, killed, told to stop."""

import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from connectors.standins.moodle import MoodleStandin
from idp.app import MOST_CONNECTIONS
from idp.clock import RehearsalClock
from idp.db import db
from idp.flows.work import Work
from idp.models import Account, Person, Scan, Task
from idp.provisioning.sweep import FINDERS
from idp.provisioning.wake import prepare_queue, wake_workers
from idp.settings import Settings
from tests.builders import settings_for
from tests.idp.provisioning.conftest import NUMBERS
from tests.idp.provisioning.engine import WorkerProcess, until
from tests.idp.provisioning.orders import CONNECTED, Desk, dismissal, hire
from tests.postgres import free_port

Start = Callable[[], WorkerProcess]


@pytest.fixture
def clock(tmp_path: Path) -> RehearsalClock:
    """The real time, moved for all processes at once."""
    return RehearsalClock(tmp_path / "shift")


@pytest.fixture
def settings(database_url: str, targets: dict[str, dict[str, Any]], clock: RehearsalClock) -> Settings:
    targets["moodle"]["timeout"] = 3.0
    mail = {"sender": "achkych@kstu.kg", "starttls": False, "port": free_port(), "timeout": 2}
    return settings_for(database_url, targets=targets, mail=mail, rehearsal_shift=clock.shift_file)


@pytest.fixture
def app(app: Flask, database_url: str) -> Flask:
    """A web process: what it commits wakes the workers."""
    if database_url.startswith("postgresql"):
        prepare_queue(database_url)
    wake_workers(app)
    return app


@pytest.fixture
def start(settings: Settings, desk: Desk, tmp_path: Path) -> Iterator[Start]:
    """Workers; the systems were looked through today, so that no scan takes the faults that are meant for tasks."""
    running: list[WorkerProcess] = []
    desk.change(lambda: db.session.add_all(map(_looked_through, CONNECTED)))

    def one_more() -> WorkerProcess:
        running.append(WorkerProcess(settings, tmp_path / "worker.log"))
        return running[-1]

    yield one_more
    for process in running:
        process.__exit__()


def _looked_through(system: str) -> Scan:
    now = datetime.now(UTC)
    return Scan(system=system, asked_by="test", started_at=now, finished_at=now, state="done", failures=0)


def done(desk: Desk, systems: tuple[str, ...] = CONNECTED) -> int:
    return desk.one(sa.select(sa.func.count()).where(Task.status == "done", Task.system.in_(systems)))


def is_done(desk: Desk, number: int, system: str, action: str = "open") -> bool:
    """Whether this was done for this person: by rows, since they may not even exist yet."""
    mine = sa.select(Task.id).join(Account, Account.id == Task.account_id).join(Person, Person.id == Account.person_id)
    this = (Person.employee_no == f"E-{number}", Task.system == system, Task.action == action, Task.status == "done")
    return bool(desk.all(mine.where(*this)))


def pass_time(clock: RehearsalClock, by: timedelta) -> None:
    clock.move_to(clock.now() + by)


def test_killed_again_and_again_over_sixty_orders_nothing_is_lost_and_nothing_doubled(
    desk: Desk, start: Start, clock: RehearsalClock, at_target: dict[str, Any]
) -> None:
    numbers = [next(NUMBERS) for _ in range(60)]
    for number in numbers:
        desk.receive(hire(number))
    chance = random.Random(7)
    for aim in (10, 50, 90, 140):
        worker = start()
        until(lambda aim=aim: done(desk) >= aim)
        until(lambda: chance.random() < 0.3)
        worker.kill()
        pass_time(clock, timedelta(minutes=5))
    worker = start()
    until(lambda: done(desk) == 180)
    assert worker.stop() == 0
    accounts = {str(desk.account(number).id) for number in numbers}
    for system in CONNECTED:
        assert Counter(all_at(at_target[system], accounts)) == Counter(accounts)
    assert desk.one(sa.select(sa.func.count()).where(Task.system == "unet")) == 60
    assert desk.one(sa.select(sa.func.max(Task.attempt)).where(Task.system.in_(CONNECTED))) > 1  # kills hit work


def all_at(target: Any, accounts: set[str]) -> list[str]:
    """The external ids of these accounts at the target, as often as they are there."""
    found, cursor = [], None
    while True:
        page = target.scan(cursor, 100)
        found += [remote.account_id for remote in page.remotes if remote.account_id in accounts]
        if page.cursor is None:
            return found
        cursor = page.cursor


def test_told_to_stop_it_finishes_what_is_under_way(
    desk: Desk, start: Start, moodle: MoodleStandin, number: int
) -> None:
    worker = start()
    moodle.faults = ["hang"]
    desk.receive(hire(number))
    until(lambda: moodle.faults == [])
    assert worker.stop() == 0
    assert desk.task(number, "moodle").owner is None
    assert desk.task(number, "moodle").failures == 1


def test_a_slow_system_holds_up_nobody_else(desk: Desk, start: Start, moodle: MoodleStandin) -> None:
    moodle.faults = ["hang"] * 100
    numbers = [next(NUMBERS) for _ in range(10)]
    for number in numbers:
        desk.receive(hire(number))
    start()
    until(lambda: done(desk, ("unet", "mail")) == 20, seconds=20)
    assert done(desk, ("moodle",)) == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestOnPostgresql:
    """What Procrastinate adds, and what becomes of its failures."""

    def test_a_worker_is_woken_by_a_commit(self, desk: Desk, start: Start, number: int) -> None:
        start()
        waits = []
        for one in [number, *(next(NUMBERS) for _ in range(6))]:
            desk.receive(hire(one))
            waits.append(until(lambda one=one: is_done(desk, one, "unet")))
        assert statistics.median(waits[1:]) < 1.5  # by polling alone two steps take two seconds on average

    def test_what_nobody_was_woken_for_is_found_by_the_sweep(self, desk: Desk, start: Start, number: int) -> None:
        desk.service.woken.clear()
        start()
        desk.receive(hire(number))
        until(lambda: is_done(desk, number, "unet"))

    def test_a_queue_that_has_forgotten_everything_costs_seconds(self, desk: Desk, start: Start, number: int) -> None:
        desk.receive(hire(number))
        desk.change(lambda: db.session.execute(sa.text("TRUNCATE procrastinate_jobs CASCADE")))
        start()
        until(lambda: is_done(desk, number, "unet"))

    def test_a_queue_that_is_not_there_is_no_reason_to_refuse_an_order(self, desk: Desk, number: int) -> None:
        desk.change(lambda: db.session.execute(sa.text("ALTER TABLE procrastinate_jobs RENAME TO lost")))
        assert desk.order(desk.receive(hire(number))).state == "accepted"

    def test_work_is_queued_once_however_often_it_is_found(self, desk: Desk, number: int) -> None:
        order = desk.receive(hire(number))
        for _ in range(3):
            with desk.app.app_context():
                desk.service.woken[0]([_work(order)])
        assert desk.all(sa.text("SELECT queueing_lock FROM procrastinate_jobs")) == [f"order/{order}"]

    def test_a_job_of_a_killed_worker_blocks_nobody_and_is_forgotten(
        self, desk: Desk, start: Start, number: int, at_target: dict[str, Any]
    ) -> None:
        worker = start()
        desk.receive(hire(number))
        until(lambda: is_done(desk, number, "unet"))
        worker.kill()
        desk.change(lambda: db.session.execute(sa.text(_ORPHAN), {"row": str(_lock_of(desk, number))}))
        desk.receive(dismissal(number))
        start()
        until(lambda: is_done(desk, number, "unet", "close"))
        assert at_target["unet"].find(desk.key(number)).active is False
        until(lambda: desk.all(sa.text("SELECT id FROM procrastinate_jobs WHERE worker_id IS NULL")) == [])

    def test_cut_off_from_the_database_a_worker_begins_anew(self, desk: Desk, start: Start, number: int) -> None:
        worker = start()
        desk.receive(hire(number))
        until(lambda: is_done(desk, number, "unet"))
        desk.change(lambda: db.session.execute(sa.text(_CUT_OFF)))
        with desk.app.app_context():
            db.engine.dispose()
        desk.receive(dismissal(number))
        until(lambda: is_done(desk, number, "unet", "close"))
        assert worker.is_running
        assert worker.stop() == 0

    def test_two_workers_share_the_work(self, desk: Desk, start: Start) -> None:
        for _ in range(20):
            desk.receive(hire(next(NUMBERS)))
        start(), start()
        until(lambda: done(desk) == 60)
        assert desk.one(sa.select(sa.func.max(Task.attempt)).where(Task.system.in_(CONNECTED))) == 1

    def test_an_idle_worker_holds_few_connections_and_a_web_process_none_for_the_queue(
        self, desk: Desk, start: Start, number: int
    ) -> None:
        with desk.app.app_context():
            db.engine.dispose()
        desk.receive(hire(number))
        assert desk.one(sa.text(_CONNECTIONS)) <= 2
        start()
        until(lambda: is_done(desk, number, "unet"))
        lanes = len(CONNECTED) + len(FINDERS)  # each may hold one, and each pool keeps what it once needed
        until(lambda: desk.one(sa.text(_CONNECTIONS)) <= lanes + 2 * MOST_CONNECTIONS + 2)  # two are the desk's


_ORPHAN = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status)
VALUES ('unet', 'carry_out', :row, 'doing')
"""
_OF_THIS_DATABASE = "FROM pg_stat_activity WHERE datname = current_database()"
_CUT_OFF = f"SELECT pg_terminate_backend(pid) {_OF_THIS_DATABASE} AND pid <> pg_backend_pid()"
_CONNECTIONS = f"SELECT count(*) {_OF_THIS_DATABASE}"


def _lock_of(desk: Desk, number: int) -> str:
    return f"task/{desk.task(number, 'unet').id}"


def _work(order: Any) -> Any:
    return Work("order", order, datetime.now(UTC), 1, "orders")
