"""The embedded engine: one process, some threads per queue, a sweep twice a second (SQLite; design, decision 8)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

from idp.flows.work import Work
from idp.log import log
from idp.provisioning.carry_out import carry_out
from idp.provisioning.periodic import EVERY, do_periodic
from idp.provisioning.sweep import due_work
from idp.provisioning.workshop import Workshop

AHEAD = 4  # works given to each thread of a lane before the next look; more would let closings wait


class Runner:
    """Carries out what is due until it is told to stop."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._under_way: dict[str, set[UUID]] = {queue: set() for queue in workshop.lanes}
        self._look = threading.Event()
        self._stopping = False
        self._periodic_at = workshop.service.clock.now()

    def run(self) -> None:
        """Returns after `stop`, when everything under way is finished."""
        with ExitStack() as stack:
            pools = {queue: ThreadPoolExecutor(width, queue) for queue, width in self._workshop.lanes.items()}
            for pool in pools.values():
                stack.callback(pool.shutdown, cancel_futures=True)
            while not self._stopping:
                self._look_around(pools)
                self._look.wait(self._workshop.service.settings.worker.sweep_seconds)
                self._look.clear()

    def run_until_idle(self) -> int:
        """Do everything that is due now, and whatever becomes due by it; how many works that were."""
        done = 0
        with self._workshop.app.app_context():
            while works := self._due():
                for work in works:
                    carry_out(self._workshop, work.kind, work.id)
                done += len(works)
        return done

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._look.set()

    def _due(self) -> list[Work]:
        now = self._workshop.service.clock.now()
        return [work for queue in self._workshop.lanes for work in due_work(now, queue, limit=100)]

    def _look_around(self, pools: dict[str, ThreadPoolExecutor]) -> None:
        """Give each lane that has little left to do some of what is due."""
        try:
            self._do_periodic()
            for queue, width in self._workshop.lanes.items():
                if len(self._under_way[queue]) <= width:
                    self._fill(queue, pools[queue], AHEAD * width)
        except Exception as error:  # a full disk, a lock held too long: the next look may do better
            log.error("sweep-crash", exc_info=error)

    def _fill(self, queue: str, pool: ThreadPoolExecutor, limit: int) -> None:
        with self._workshop.app.app_context():
            works = due_work(self._workshop.service.clock.now(), queue, limit)
        for work in works:
            if work.id not in self._under_way[queue]:
                self._under_way[queue].add(work.id)
                pool.submit(self._do, work)

    def _do(self, work: Work) -> None:
        try:
            carry_out(self._workshop, work.kind, work.id)
        except Exception as error:  # the row stays due; a later sweep finds it
            log.error("work-crash", kind=work.kind, id=str(work.id), exc_info=error)
        finally:
            lane = self._under_way[work.queue]
            lane.discard(work.id)
            if len(lane) <= self._workshop.lanes[work.queue]:
                self._look.set()

    def _do_periodic(self) -> None:
        now = self._workshop.service.clock.now()
        if now >= self._periodic_at:
            self._periodic_at = now + EVERY
            do_periodic(self._workshop)
