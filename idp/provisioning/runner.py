"""The embedded engine: one process, a few threads, a sweep every half second (SQLite; design, decisions 8 and 15)."""

import threading
from concurrent.futures import ThreadPoolExecutor

from idp.flows.work import Work
from idp.log import log
from idp.provisioning.carry_out import carry_out
from idp.provisioning.periodic import EVERY, do_periodic
from idp.provisioning.sweep import due_work
from idp.provisioning.workshop import Workshop


class Runner:
    """Carries out what is due until it is told to stop.  Works with the same lock wait for each other."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._threads = workshop.service.settings.worker.threads
        self._under_way: set[str] = set()
        self._change = threading.Condition()
        self._stopping = False
        self._periodic_at = workshop.service.clock.now()

    def run(self) -> None:
        """Returns after `stop`, when everything under way is finished."""
        with ThreadPoolExecutor(self._threads, "worker") as pool:
            while not self._stopping:
                started = [pool.submit(self._do, work) for work in self._take()]
                with self._change:
                    if not started or len(self._under_way) >= self._threads:
                        self._change.wait(self._workshop.service.settings.worker.sweep_seconds)

    def run_until_idle(self) -> int:
        """Do everything that is due now, and whatever becomes due by it; how many works that were."""
        done = 0
        with self._workshop.app.app_context():
            while works := due_work(self._workshop.service.clock.now(), limit=100):
                for work in works:
                    carry_out(self._workshop, work.kind, work.id)
                done += len(works)
        return done

    def stop(self) -> None:
        """Take nothing more."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def _take(self) -> list[Work]:
        """Due works whose lock is free, at most as many as there are idle threads."""
        now = self._workshop.service.clock.now()
        if now >= self._periodic_at:
            self._periodic_at = now + EVERY
            do_periodic(self._workshop)
        with self._workshop.app.app_context():
            works = due_work(now, limit=4 * self._threads)
        with self._change:
            taken: list[Work] = []
            for work in works:
                if work.lock not in self._under_way and len(self._under_way) < self._threads:
                    self._under_way.add(work.lock)
                    taken.append(work)
        return taken

    def _do(self, work: Work) -> None:
        try:
            carry_out(self._workshop, work.kind, work.id)
        except Exception as error:  # the row stays due; the next sweep finds it
            log.error("work-crash", kind=work.kind, id=str(work.id), exc_info=error)
        finally:
            with self._change:
                self._under_way.discard(work.lock)
                self._change.notify_all()
