"""The engine for PostgreSQL: Procrastinate carries the work to as many machines as wanted (design, decision 8).

Its jobs only wake: they name a row, and `carry_out` looks whether that is due.  A job that is lost costs a minute,
until the sweep.  Its tables are made by `prepare_queue`; ours know nothing of them.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.engine import make_url

from idp.db import db
from idp.flows.work import Work
from idp.log import log
from idp.provisioning.carry_out import carry_out
from idp.provisioning.periodic import do_periodic
from idp.provisioning.sweep import due_work
from idp.provisioning.workshop import Workshop

CARRY_OUT = "carry_out"
POLLING = 1.0  # seconds until a job whose time has come is fetched
SWEEP_LIMIT = 1_000


def conninfo(database_url: str) -> str:
    """The database as libpq names it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def prepare_queue(database_url: str) -> None:
    """Make Procrastinate's tables where they are missing."""
    engine = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    if sa.inspect(engine).has_table("procrastinate_jobs"):
        return
    with App(connector=SyncPsycopgConnector(conninfo=conninfo(database_url), min_size=1, max_size=1)).open() as queue:
        queue.schema_manager.apply_schema()


def wake_by_queue(app: Flask) -> None:
    """Have every commit of this process that leaves work wake a worker, wherever it runs."""
    built = app.extensions["achkych"]
    connector = SyncPsycopgConnector(conninfo=conninfo(built.settings.database_url), min_size=0, max_size=4)
    queue = App(connector=connector).open()

    def wake(works: Sequence[Work]) -> None:
        for work in works:
            try:
                _defer(queue, work)
            except Exception as error:  # the row is committed; the sweep will find it
                log.warning("not-woken", kind=work.kind, id=str(work.id), exc_info=error)

    built.woken.append(wake)


def run_queue(workshop: Workshop) -> None:
    """Work until the process is told to stop (SIGTERM, SIGINT)."""
    threads = workshop.service.settings.worker.threads
    connector = PsycopgConnector(conninfo=conninfo(workshop.service.settings.database_url), max_size=threads + 2)
    queue = App(connector=connector)
    _register(queue, workshop)
    queue.run_worker(
        concurrency=threads,
        fetch_job_polling_interval=POLLING,
        delete_jobs="always",
        listen_notify=True,
    )


def _register(queue: App, workshop: Workshop) -> None:
    @queue.task(name=CARRY_OUT)
    def carry_out_one(kind: str, row_id: str) -> None:
        carry_out(workshop, kind, UUID(row_id))

    @queue.periodic(cron="* * * * *")
    @queue.task(name="sweep", queue="sweep", queueing_lock="sweep")
    def sweep(timestamp: int) -> None:
        with workshop.app.app_context():
            works = due_work(workshop.service.clock.now(), SWEEP_LIMIT)
            db.session.remove()
        for wake in workshop.service.woken:
            wake(works)

    @queue.periodic(cron="*/10 * * * *")
    @queue.task(name="periodic", queue="sweep", queueing_lock="periodic")
    def periodic(timestamp: int) -> None:
        do_periodic(workshop)


def _defer(queue: App, work: Work) -> None:
    job = queue.configure_task(
        CARRY_OUT,
        queue=work.queue,
        lock=work.lock,
        queueing_lock=f"{work.kind}/{work.id}",
        priority=-work.priority,
        schedule_at=work.run_at,
    )
    with suppress(AlreadyEnqueued):
        job.defer(kind=work.kind, row_id=str(work.id))
