"""Waking workers as soon as work is committed.  Only shortens the wait: the rows are the truth (design, decision 8).

On PostgreSQL a Procrastinate job names the row that is due.  On SQLite nobody needs waking: the runner looks twice a
second.  Knows nothing of targets, so that web processes stay small.
"""

from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy as sa
from flask import Flask
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.engine import make_url

from idp.flows.work import Work
from idp.log import log

CARRY_OUT = "carry_out"


def on_postgresql(app: Flask) -> bool:
    """Whether this installation runs on PostgreSQL."""
    return bool(app.extensions["achkych"].settings.database_url.startswith("postgresql"))


def wake_workers(app: Flask) -> None:
    """Have what this process leaves be taken up at once where the engine can."""
    if on_postgresql(app):
        wake_by_queue(app)


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
