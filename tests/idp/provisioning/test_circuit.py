"""A system in which nothing works is left alone: its queue is kept, others go on, and all of it is done as soon as it
works again (3.5, 3.7; connector contract, rule 5)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.standins.moodle import MoodleStandin
from idp.clock import SetClock
from idp.db import unit_of_work
from idp.errors import Forbidden
from idp.flows.circuits import try_now
from idp.flows.here import at_work
from idp.flows.refusal import Refusal
from idp.models import AuditRecord, Circuit, Message, Task
from idp.provisioning.runner import Runner
from policies.permissions import Appointment, Who
from tests.builders import Make
from tests.idp.provisioning.orders import Desk, hire

TOLERATED = 10


def hired(desk: Desk, numbers: Iterable[int]) -> list[int]:
    told = list(numbers)
    for one in told:
        desk.receive(hire(one))
    return told


def circuit(desk: Desk) -> Circuit | None:
    return next(iter(desk.all(sa.select(Circuit).where(Circuit.system == "moodle"))), None)


def statuses(desk: Desk, system: str) -> set[str]:
    return set(desk.all(sa.select(Task.status).where(Task.system == system)))


def test_after_ten_failures_it_is_left_alone_and_others_go_on(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [500] * 1_000
    hired(desk, range(number * 100, number * 100 + 15))
    runner.run_until_idle()
    assert 1_000 - len(moodle.faults) == TOLERATED
    stopped = circuit(desk)
    assert stopped is not None and stopped.opened_at == clock.now()
    assert (statuses(desk, "moodle"), statuses(desk, "unet")) == ({"waiting"}, {"done"})
    assert desk.all(sa.select(AuditRecord.act).where(AuditRecord.act == "circuit-opened")) == ["circuit-opened"]
    clock.advance(seconds=50)
    runner.run_until_idle()
    assert 1_000 - len(moodle.faults) == TOLERATED, "not before the rest is over"


def test_the_rest_grows_while_nothing_works(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [500] * 1_000
    hired(desk, range(number * 100, number * 100 + 12))
    runner.run_until_idle()
    clock.advance(seconds=61)
    runner.run_until_idle()
    assert 1_000 - len(moodle.faults) == TOLERATED + 1, "one more try, and it rests for longer"
    stopped = circuit(desk)
    assert stopped is not None and stopped.retry_at is not None
    assert (stopped.retry_at - clock.now()).total_seconds() == 120


def test_as_soon_as_it_works_again_everything_that_waited_is_done(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    people = hired(desk, range(number * 100, number * 100 + 14))
    moodle.faults = [500] * 1_000
    for _ in range(5):
        runner.run_until_idle()
        clock.advance(minutes=20)
    moodle.faults = []
    runner.run_until_idle()
    assert statuses(desk, "moodle") == {"done"}, "none waits for the hour of its own next try"
    assert circuit(desk) is None
    assert len([user for user in moodle.site.users.values() if user.get("idnumber")]) == len(people)
    acts = desk.all(
        sa.select(AuditRecord.act).where(AuditRecord.act.startswith("circuit")).order_by(AuditRecord.number)
    )
    assert acts == ["circuit-opened", "circuit-closed"]


def test_a_refused_token_stops_it_at_once_and_administrators_are_told_once_a_day(
    desk: Desk, make: Make, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    make.officer("asel", role="admin", department=None, systems=())
    moodle.faults = ["invalidtoken"] * 100
    hired(desk, [number * 100, number * 100 + 1])
    runner.run_until_idle()
    assert 100 - len(moodle.faults) == 1
    for _ in range(3):
        clock.advance(minutes=61)
        runner.run_until_idle()
    assert desk.all(sa.select(Message.to).where(Message.template == "system-stopped")) == ["asel@kstu.kg"]


def test_what_is_said_of_one_account_stops_nothing(
    desk: Desk, runner: Runner, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = ["invalidparameter"] * 100
    hired(desk, range(number * 100, number * 100 + 12))
    runner.run_until_idle()
    assert circuit(desk) is None


def test_one_that_works_in_between_starts_the_count_anew(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [500] * (TOLERATED - 1)
    hired(desk, range(number * 100, number * 100 + 12))
    runner.run_until_idle()
    assert circuit(desk) is None


def test_an_administrator_who_has_repaired_it_has_it_tried_at_once(
    desk: Desk, runner: Runner, moodle: MoodleStandin, number: int
) -> None:
    def ask(role: str) -> Refusal | None:
        with desk.app.app_context(), unit_of_work():
            who = Who("x", (Appointment(role, None, None, desk.service.clock.now(), None),))
            return try_now(replace(at_work(desk.service, "account/asel"), who=who), "moodle")

    assert ask("admin") == Refusal("gone")
    moodle.faults = ["invalidtoken"]
    hired(desk, [number * 100])
    runner.run_until_idle()
    assert statuses(desk, "moodle") == {"waiting"}
    with pytest.raises(Forbidden):
        ask("officer")
    assert ask("admin") is None
    runner.run_until_idle()
    assert statuses(desk, "moodle") == {"done"}
