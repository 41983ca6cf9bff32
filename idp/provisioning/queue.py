"""The engine for PostgreSQL: Procrastinate carries the work to as many machines as wanted (design, decision 8).

Its jobs only wake: they name a row, and `carry_out` looks whether that is due.  A job that is lost costs a minute,
until the sweep.  Its tables are made by `prepare_queue`; ours know nothing of them.
"""

from uuid import UUID

from procrastinate import App, PsycopgConnector

from idp.db import db
from idp.provisioning.carry_out import carry_out
from idp.provisioning.periodic import do_periodic
from idp.provisioning.sweep import due_work
from idp.provisioning.wake import CARRY_OUT, conninfo
from idp.provisioning.workshop import Workshop

POLLING = 1.0  # seconds until a job whose time has come is fetched
SWEEP_LIMIT = 1_000


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
