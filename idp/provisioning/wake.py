"""Waking workers as soon as work is committed.  Only shortens the wait: the rows are the truth (design, decision 8).

On PostgreSQL a Procrastinate job names the row that is due.  On SQLite nobody needs waking: the runner looks twice a
second.  Knows nothing of targets, so that web processes stay small; uses the connections they have anyway.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from flask import Flask
from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.engine import make_url

from idp.db import db
from idp.flows.work import Work
from idp.log import log

CARRY_OUT = "carry_out"

JOBS = sa.table(
    "procrastinate_jobs",
    *map(sa.column, ("queue_name", "task_name", "priority", "queueing_lock", "status")),
    sa.column("args", JSONB),
)
ADD = insert(JOBS).on_conflict_do_nothing(index_elements=["queueing_lock"], index_where=sa.text("status = 'todo'"))
"""Procrastinate's own call takes one job at a time, and its answer to a job that is waiting already is an error."""

ORPHANS = sa.text("""
    DELETE FROM procrastinate_jobs WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers
        WHERE procrastinate_workers.id = worker_id AND last_heartbeat > now() - interval '1 minute')
""")


def on_postgresql(app: Flask) -> bool:
    """Whether this installation runs on PostgreSQL."""
    return bool(app.extensions["achkych"].settings.database_url.startswith("postgresql"))


def wake_workers(app: Flask) -> None:
    """Have what this process leaves be taken up at once where the engine can."""
    if on_postgresql(app):
        app.extensions["achkych"].woken.append(wake)


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


def wake(works: Sequence[Work]) -> None:
    """Have a worker take these up, wherever it runs.  Never fails: the rows are committed, the sweep will find them."""
    if not works:
        return
    try:
        with db.engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
            connection.execute(ADD.values([_job(work) for work in works]))
    except Exception as error:
        log.warning("not-woken", works=len(works), exc_info=error)


def forget_orphans() -> None:
    """Remove jobs whose worker was killed: they block nobody, and nobody else would."""
    with db.engine.begin() as connection:
        connection.execute(ORPHANS)


def _job(work: Work) -> dict[str, object]:
    return {
        "queue_name": work.queue,
        "task_name": CARRY_OUT,
        "priority": -work.priority,
        "queueing_lock": f"{work.kind}/{work.id}",
        "args": {"kind": work.kind, "row_id": str(work.id)},
    }
