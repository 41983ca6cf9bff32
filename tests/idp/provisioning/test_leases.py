"""Who may work on a task: one at a time, until the lease ends; and what those do who come too late."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from connectors.base import Capabilities, Json, Remote, Wanted
from idp.clock import SetClock
from idp.db import db
from idp.models import Message, Task
from idp.provisioning.carry_out import carry_out
from idp.provisioning.converge import converge
from idp.provisioning.lease import claim
from idp.provisioning.runner import Runner
from idp.provisioning.sweep import due_work
from idp.provisioning.workshop import Workshop
from tests.idp.provisioning.orders import CONNECTED, Desk, dismissal, hire, rename
from tests.idp.provisioning.test_failing_targets import Through

LEASE = timedelta(seconds=60)


@pytest.fixture
def applied(desk: Desk, workshop: Workshop, number: int) -> int:
    """Somebody whose hire is applied, and whose tasks wait."""
    carry_out(workshop, "order", desk.receive(hire(number)))
    return number


def at_once(app: Flask, do: Any, times: int = 20) -> list[Any]:
    """The answers of so many threads that do it at the same moment."""
    together = Barrier(times)

    def one(number: int) -> Any:
        with app.app_context():
            together.wait()
            return do(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_of_twenty_that_claim_one_task_at_once_one_gets_it(desk: Desk, clock: SetClock, applied: int) -> None:
    task = desk.task(applied, "unet")
    claims = at_once(desk.app, lambda n: claim(Task, task.id, f"w{n}", clock.now(), LEASE))
    (won,) = [one for one in claims if one]
    assert (desk.task(applied, "unet").owner, desk.task(applied, "unet").attempt) == (won.owner, 1)


def test_of_twenty_that_claim_one_mail_at_once_one_gets_it(desk: Desk, clock: SetClock, applied: int) -> None:
    message = desk.message(applied)
    claims = at_once(desk.app, lambda n: claim(Message, message.id, f"w{n}", clock.now(), LEASE))
    assert len([one for one in claims if one]) == 1


def test_of_twenty_that_carry_out_one_task_at_once_one_calls_the_target(
    desk: Desk, workshop: Workshop, moodle: Any, applied: int
) -> None:
    task = desk.task(applied, "moodle")
    at_once(desk.app, lambda _: converge(workshop, task.id))
    assert moodle.calls.count("core_user_create_users") == 1
    assert desk.task(applied, "moodle").attempt == 1


def test_of_five_that_apply_one_order_at_once_one_does(desk: Desk, workshop: Workshop, number: int) -> None:
    order = desk.receive(hire(number))
    at_once(desk.app, lambda _: carry_out(workshop, "order", order), times=5)
    assert desk.order(order).failures == 0
    assert len(desk.tasks(number, "unet")) == 1


def test_the_task_of_a_dead_worker_is_taken_after_its_lease_and_not_before(
    desk: Desk, runner: Runner, clock: SetClock, applied: int
) -> None:
    task = desk.task(applied, "unet")
    with desk.app.app_context():
        assert claim(Task, task.id, "dead", clock.now(), LEASE)
    clock.advance(seconds=59)
    runner.run_until_idle()
    assert desk.task(applied, "unet").owner == "dead"
    clock.advance(seconds=1)
    runner.run_until_idle()
    task = desk.task(applied, "unet")
    assert (task.status, task.attempt, task.first_tried_at) == ("done", 2, clock.now() - LEASE)


def test_a_lease_lasts_longer_than_a_task_with_a_slow_target_can_take(workshop: Workshop) -> None:
    class Slow(Through):
        @property
        def capabilities(self) -> Capabilities:
            return replace(self.inner.capabilities, timeout=30.0)

    slow = replace(workshop, targets={"unet": Slow(workshop.targets["unet"])})
    assert slow.lease == timedelta(minutes=8)  # sixteen calls of half a minute


class Held(Through):
    """Holds the first call of `create` or `update` until it is let go, before or after passing it on."""

    def __init__(self, inner: Any, after: bool = False) -> None:
        super().__init__(inner)
        self.reached, self.let_go, self._after = Event(), Event(), after

    def create(self, wanted: Wanted, op: str) -> Remote:
        self._hold(before=True)
        made = super().create(wanted, op)
        self._hold(before=False)
        return made

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        self._hold(before=True)
        super().update(remote_id, changes, op)
        self._hold(before=False)

    def _hold(self, before: bool) -> None:
        if before is not self._after and not self.let_go.is_set():
            self.reached.set()
            assert self.let_go.wait(20)


class Story:
    """A worker that stands still in the middle of its call to UNET, while others go on."""

    def __init__(self, desk: Desk, workshop: Workshop, number: int, after: bool) -> None:
        self.held = Held(workshop.targets["unet"], after)
        self.slow = replace(workshop, targets={**workshop.targets, "unet": self.held})
        self._pool = ThreadPoolExecutor(1)
        self._under_way = self._pool.submit(carry_out, self.slow, "task", desk.task(number, "unet").id)
        assert self.held.reached.wait(20)

    def go_on(self) -> None:
        self.held.let_go.set()
        self._under_way.result(20)
        self._pool.shutdown()


@pytest.mark.parametrize("after", [False, True], ids=["before its call", "after its call"])
def test_a_newer_revision_waits_for_the_old_one_under_way_and_ends_as_the_last(
    desk: Desk, workshop: Workshop, runner: Runner, applied: int, after: bool, at_target: dict[str, Any]
) -> None:
    story = Story(desk, workshop, applied, after)
    desk.receive(dismissal(applied))
    runner.run_until_idle()
    old, new = desk.tasks(applied, "unet")
    assert (old.status, new.status, new.attempt) == ("superseded", "waiting", 0)
    story.go_on()
    old, new = desk.tasks(applied, "unet")
    assert (old.status, new.status) == ("superseded", "waiting")  # the old one can't mark the new one as done
    assert old.owner is None
    assert desk.link(applied, "unet").applied_revision == 1
    runner.run_until_idle()
    assert desk.task(applied, "unet").status == "done"
    assert desk.link(applied, "unet").applied_revision == 2
    assert at_target["unet"].find(desk.key(applied)).active is False


def test_when_the_old_one_ends_the_workers_are_told_of_the_new_one(
    desk: Desk, workshop: Workshop, runner: Runner, applied: int
) -> None:
    story = Story(desk, workshop, applied, after=False)
    desk.receive(dismissal(applied))
    runner.run_until_idle()
    told: list[Any] = []
    desk.service.woken.append(told.extend)
    story.go_on()
    assert [(work.kind, work.id) for work in told] == [("task", desk.task(applied, "unet").id)]


def test_a_worker_that_comes_back_after_its_lease_changes_no_row(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, applied: int
) -> None:
    story = Story(desk, workshop, applied, after=False)
    clock.advance(seconds=workshop.lease.total_seconds() + 1)
    runner.run_until_idle()
    before = desk.task(applied, "unet")
    assert (before.status, before.attempt) == ("done", 2)
    clock.advance(minutes=1)
    story.go_on()
    assert desk.tasks(applied, "unet")[0].done_at == before.done_at
    assert desk.tasks(applied, "unet")[0].failures == 0


def test_what_a_late_worker_may_have_overwritten_is_looked_at_once_more(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, number: int, at_target: dict[str, Any]
) -> None:
    """The worst of all: an opening that sleeps through the dismissal, and opens again."""
    desk.receive(hire(number))
    runner.run_until_idle()
    carry_out(workshop, "order", desk.receive(rename(number, "Анара")))
    story = Story(desk, workshop, number, after=False)
    real, remote_id = story.held.inner, desk.link(number, "unet").remote_id
    clock.advance(seconds=workshop.lease.total_seconds() + 1)
    desk.receive(dismissal(number))
    runner.run_until_idle()
    assert at_target["unet"].find(desk.key(number)).active is False
    real.update(remote_id, {"active": True}, "what the late worker's call amounts to")
    story.go_on()
    runner.run_until_idle()
    assert at_target["unet"].find(desk.key(number)).active is False
    assert [task.action for task in desk.tasks(number, "unet")] == ["open", "change", "close", "close"]
    assert desk.task(number, "unet").status == "done"


def test_two_tasks_of_one_order_that_end_at_once_finish_it(desk: Desk, workshop: Workshop, applied: int) -> None:
    order_pk = desk.task(applied, "unet").order_pk
    assert order_pk is not None
    desk.change(lambda: _leave_only(order_pk))
    tasks = [desk.task(applied, system).id for system in CONNECTED]
    at_once(desk.app, lambda n: converge(workshop, tasks[n]), times=len(tasks))
    assert {desk.task(applied, system).status for system in CONNECTED} == {"done"}
    assert desk.order(order_pk).state == "applied"


def _leave_only(order_pk: Any) -> None:
    db.session.execute(sa.update(Task).where(Task.order_pk == order_pk, Task.status == "manual").values(status="done"))


def test_a_clock_set_back_delays_and_loses_nothing(
    desk: Desk, runner: Runner, clock: SetClock, applied: int, number: int
) -> None:
    task = desk.task(applied, "unet")
    with desk.app.app_context():
        assert claim(Task, task.id, "dead", clock.now(), LEASE)
    clock.advance(minutes=-10)
    runner.run_until_idle()
    assert desk.task(applied, "moodle").status == "waiting"
    clock.advance(minutes=11)
    runner.run_until_idle()
    assert {desk.task(applied, system).status for system in CONNECTED} == {"done"}


def test_closing_goes_before_opening(
    desk: Desk, runner: Runner, workshop: Workshop, clock: SetClock, number: int
) -> None:
    desk.receive(hire(number))
    runner.run_until_idle()
    carry_out(workshop, "order", desk.receive(hire(number + 500_000)))
    carry_out(workshop, "order", desk.receive(dismissal(number)))
    with desk.app.app_context():
        works = due_work(clock.now(), "unet", limit=10)
    assert [work.id for work in works] == [desk.task(number, "unet").id, desk.task(number + 500_000, "unet").id]
