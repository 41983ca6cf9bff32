"""The engine for PostgreSQL: Procrastinate carries the work to as many machines as wanted (design, decision 8).

Its jobs only wake: they name a row, and `carry_out` looks whether that is due.  What it forgets, the sweep finds: a
lost job costs seconds.  So its locks are not used (a claim keeps the works of an account apart, and unlike a lock it
ends by itself), nothing is scheduled ahead in it, and nothing it knows needs to reach the disk.
"""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

from procrastinate import App, PsycopgConnector

from idp.log import log
from idp.provisioning.carry_out import carry_out
from idp.provisioning.periodic import EVERY, do_periodic
from idp.provisioning.sweep import due_work
from idp.provisioning.wake import CARRY_OUT, conninfo, forget_orphans, wake
from idp.provisioning.workshop import Workshop

POLLING = 2.0  # seconds; jobs come by LISTEN, this is for when that connection broke
SWEEPING = 5.0  # seconds between two looks for what is due and nobody was woken for
SWEEP_LIMIT = 50  # works of one queue in one sweep
NOT_TO_DISK = {"options": "-c synchronous_commit=off"}  # what a crash of the server forgets, the sweep finds
PAUSE = 1.0  # seconds until a worker that failed, as when the database restarts, begins anew


def run_queue(workshop: Workshop) -> None:
    """Work until the process is told to stop (SIGTERM, SIGINT); what is under way then is finished."""
    asyncio.run(_run(workshop))


async def _run(workshop: Workshop) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(sum(workshop.lanes.values()) + 1, "worker"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            await _work(workshop, stop)
        except Exception as error:
            log.error("queue-failed", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE)


async def _work(workshop: Workshop, stop: asyncio.Event) -> None:
    """A worker for each lane, and the sweep; when one of them ends, all do."""
    address = conninfo(workshop.service.settings.database_url)
    connector = PsycopgConnector(conninfo=address, min_size=1, max_size=len(workshop.lanes), kwargs=NOT_TO_DISK)
    async with _app(workshop, connector).open_async() as queue:
        parts = [asyncio.create_task(part) for part in (stop.wait(), _sweep(workshop))]
        parts += [asyncio.create_task(_lane(queue, name, width)) for name, width in workshop.lanes.items()]
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in parts:
            part.cancel()
        for ended in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def _app(workshop: Workshop, connector: PsycopgConnector) -> App:
    queue = App(connector=connector)

    @queue.task(name=CARRY_OUT)
    def carry_out_one(kind: str, row_id: str) -> None:
        carry_out(workshop, kind, UUID(row_id))

    return queue


async def _lane(queue: App, name: str, width: int) -> None:
    await queue.run_worker_async(
        queues=[name],
        name=name,
        concurrency=width,
        fetch_job_polling_interval=POLLING,
        abort_job_polling_interval=3600.0,  # we abort nothing
        install_signal_handlers=False,
        delete_jobs="always",
    )


async def _sweep(workshop: Workshop) -> None:
    """Beside the queue, not through it: it must work whatever has become of the queue."""
    clock = workshop.service.clock
    periodic_at = clock.now()
    while True:
        await asyncio.to_thread(_wake_due, workshop)
        if clock.now() >= periodic_at:
            periodic_at = clock.now() + EVERY
            await asyncio.to_thread(_do_periodic, workshop)
        await asyncio.sleep(SWEEPING)


def _do_periodic(workshop: Workshop) -> None:
    do_periodic(workshop)
    with workshop.app.app_context():
        forget_orphans()


def _wake_due(workshop: Workshop) -> None:
    with workshop.app.app_context():
        now = workshop.service.clock.now()
        wake([work for lane in workshop.lanes for work in due_work(now, lane, SWEEP_LIMIT)])
