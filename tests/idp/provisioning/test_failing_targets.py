"""What becomes of a task whose target fails, in each way a target can fail (contracts/connector-contract.md)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base import Capabilities, Connector, Correlation, Json, OutcomeKind, Remote, TargetError, Wanted
from connectors.standins.moodle import MoodleStandin
from idp.clock import SetClock
from idp.db import db
from idp.models import OrderLine, Person
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import Workshop, open_workshop
from tests.idp.provisioning.orders import Desk, dismissal, hire

FIRST_WAIT, SECOND_WAIT, HOUR = timedelta(seconds=30), timedelta(seconds=60), timedelta(hours=1)


class Through:
    """A connector that passes everything on to another; the tests override what they need."""

    kind = "through"

    def __init__(self, inner: Connector) -> None:
        self.inner = inner

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def find(self, key: Correlation) -> Remote | None:
        return self.inner.find(key)

    def create(self, wanted: Wanted, op: str) -> Remote:
        return self.inner.create(wanted, op)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        self.inner.update(remote_id, changes, op)


def with_target(workshop: Workshop, code: str, target: Any) -> Runner:
    return Runner(replace(workshop, targets={**workshop.targets, code: target}))


@pytest.mark.parametrize("fault", [500, "garbage", "sitemaintenance", "hang"])
def test_a_passing_fault_is_tried_again_after_the_first_wait_and_then_converges(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int, fault: int | str
) -> None:
    moodle.faults = [fault]
    desk.receive(hire(number))
    runner.run_until_idle()
    task = desk.task(number, "moodle")
    assert (task.status, task.failures, task.run_at) == ("waiting", 1, clock.now() + FIRST_WAIT)
    assert task.last_error.startswith("retryable: ")
    clock.advance(seconds=30)
    runner.run_until_idle()
    task = desk.task(number, "moodle")
    assert (task.status, task.failures, task.attempt, task.last_error) == ("done", 1, 2, None)


def test_waits_grow_while_the_fault_lasts(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [500, 500]
    desk.receive(hire(number))
    runner.run_until_idle()
    clock.advance(seconds=30)
    runner.run_until_idle()
    task = desk.task(number, "moodle")
    assert (task.failures, task.run_at) == (2, clock.now() + SECOND_WAIT)


def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    class Deaf(Through):
        def create(self, wanted: Wanted, op: str) -> Remote:
            self.inner.create(wanted, op)
            raise TargetError(OutcomeKind.UNKNOWN, "no answer in time")

    desk.receive(hire(number))
    with_target(workshop, "moodle", Deaf(workshop.targets["moodle"])).run_until_idle()
    assert desk.task(number, "moodle").last_error == "unknown: no answer in time"
    clock.advance(seconds=30)
    runner.run_until_idle()
    assert desk.task(number, "moodle").status == "done"
    assert moodle.calls.count("core_user_create_users") == 1


def test_three_days_without_success_hand_the_task_to_an_officer(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [500] * 5
    desk.receive(hire(number))
    for _ in range(5):
        runner.run_until_idle()
        clock.advance(hours=18)
    task = desk.task(number, "moodle")
    assert (task.status, task.run_at) == ("failed", None)
    assert task.last_error == "retryable: HTTP 500"


@pytest.mark.parametrize(
    ("kind", "tries"), [(OutcomeKind.PERMANENT, 1), (OutcomeKind.CONFLICT, 2), (OutcomeKind.NOT_FOUND, 2)]
)
def test_what_only_a_person_can_solve_waits_on_the_desk(
    desk: Desk, workshop: Workshop, clock: SetClock, number: int, kind: OutcomeKind, tries: int
) -> None:
    class Refusing(Through):
        def create(self, wanted: Wanted, op: str) -> Remote:
            raise TargetError(kind, "no")

    runner = with_target(workshop, "unet", Refusing(workshop.targets["unet"]))
    order = desk.receive(hire(number))
    runner.run_until_idle()
    clock.advance(hours=1)
    runner.run_until_idle()
    task = desk.task(number, "unet")
    assert (task.status, task.failures, task.run_at) == ("failed", tries, None)
    assert desk.order(order).state == "applying"


def test_a_taken_login_is_a_conflict_and_is_not_adopted(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int, at_target: dict[str, Any]
) -> None:
    desk.receive(hire(number))
    moodle.faults = [500]
    runner.run_until_idle()
    account = desk.account(number)
    attributes = {"login": account.login, "email": account.email, "given_name": "A", "family_name": "B"}
    at_target["moodle"].create(Wanted("somebody-else", 1, True, attributes), "test")
    for _ in range(3):
        clock.advance(minutes=5)
        runner.run_until_idle()
    assert desk.task(number, "moodle").status == "failed"
    assert desk.task(number, "moodle").last_error.startswith("conflict: ")
    assert at_target["moodle"].find(desk.key(number)) is None


def test_wrong_credentials_keep_the_queue_and_are_tried_once_an_hour(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    right, moodle.token = moodle.token, "rotated"
    desk.receive(hire(number))
    for hours in (24, 24, 48, 1):
        runner.run_until_idle()
        clock.advance(hours=hours)
    task = desk.task(number, "moodle")
    assert (task.status, task.run_at) == ("waiting", clock.now())
    assert task.last_error == "auth: Moodle answered invalidtoken"
    moodle.token = right
    runner.run_until_idle()
    assert desk.task(number, "moodle").status == "done"


def test_being_slowed_down_is_no_failure(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    moodle.faults = [429]
    desk.receive(hire(number))
    runner.run_until_idle()
    task = desk.task(number, "moodle")
    assert (task.status, task.failures, task.run_at) == ("waiting", 0, clock.now() + timedelta(seconds=300))


def test_a_change_that_did_not_take_is_never_done(
    desk: Desk, workshop: Workshop, clock: SetClock, runner: Runner, number: int
) -> None:
    class Forgetful(Through):
        def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
            """Says it has, and hasn't."""

    desk.receive(hire(number))
    runner.run_until_idle()
    desk.receive(dismissal(number))
    with_target(workshop, "unet", Forgetful(workshop.targets["unet"])).run_until_idle()
    task = desk.task(number, "unet")
    assert (task.status, task.failures) == ("waiting", 1)
    assert task.last_error == "retryable: read back differs in active"
    assert desk.link(number, "unet").seen["active"] is True
    clock.advance(seconds=30)
    runner.run_until_idle()
    assert desk.task(number, "unet").status == "done"


def test_a_connector_that_crashes_is_a_failed_try(
    desk: Desk, workshop: Workshop, clock: SetClock, runner: Runner, number: int
) -> None:
    class Broken(Through):
        def find(self, key: Correlation) -> Remote | None:
            raise ZeroDivisionError

    desk.receive(hire(number))
    with_target(workshop, "unet", Broken(workshop.targets["unet"])).run_until_idle()
    task = desk.task(number, "unet")
    assert (task.status, task.failures) == ("waiting", 1)
    assert task.last_error == "unknown: the connector failed (ZeroDivisionError)"
    assert desk.task(number, "moodle").status == "done"
    clock.advance(seconds=30)
    runner.run_until_idle()
    assert desk.task(number, "unet").status == "done"


class TestWithoutAConnection:
    @pytest.fixture
    def targets(self, targets: dict[str, Any]) -> dict[str, Any]:
        return {code: values for code, values in targets.items() if code != "unet"}

    def test_a_system_visibly_waits(self, desk: Desk, runner: Runner, clock: SetClock, number: int) -> None:
        order = desk.receive(hire(number))
        runner.run_until_idle()
        task = desk.task(number, "unet")
        assert (task.status, task.failures, task.run_at) == ("waiting", 0, clock.now() + timedelta(minutes=5))
        assert task.last_error == "no connection to unet is set up (settings: targets.unet)"
        assert desk.order(order).state == "applying"

    def test_and_is_brought_in_line_once_it_is_connected(
        self, desk: Desk, runner: Runner, workshop: Workshop, clock: SetClock, number: int, unet: Any
    ) -> None:
        desk.receive(hire(number))
        runner.run_until_idle()
        clock.advance(minutes=5)
        connected = desk.service.settings.targets
        connected["unet"] = {"url": unet.url, "token": unet.token}
        Runner(open_workshop(desk.app)).run_until_idle()
        assert desk.task(number, "unet").status == "done"


def test_an_order_that_cannot_be_applied_is_tried_again_and_then_shown(
    desk: Desk, runner: Runner, clock: SetClock, number: int
) -> None:
    order = desk.receive(hire(number))
    desk.change(lambda: _set_body(order, b"not what was sealed"))
    runner.run_until_idle()
    assert (desk.order(order).state, desk.order(order).failures) == ("accepted", 1)
    assert desk.order(order).run_at == clock.now() + FIRST_WAIT
    for _ in range(10):
        clock.advance(hours=1)
        runner.run_until_idle()
    assert (desk.order(order).state, desk.order(order).run_at) == ("failed", None)


def _lines_of(order: Any) -> Any:
    return sa.select(OrderLine).where(OrderLine.order_pk == order)


def _set_body(order: Any, body: bytes) -> None:
    db.session.execute(sa.update(OrderLine).where(OrderLine.order_pk == order).values(body=body))


def test_following_the_orders_of_a_person_is_tried_again_later(
    desk: Desk, runner: Runner, clock: SetClock, number: int
) -> None:
    order = desk.receive(hire(number))
    runner.run_until_idle()
    whole = desk.one(_lines_of(order)).body
    person = sa.select(Person).where(Person.employee_no == f"E-{number}")
    desk.change(lambda: _set_body(order, b"not what was sealed"))
    desk.change(lambda: setattr(db.session.scalars(person).one(), "review_at", clock.now()))
    runner.run_until_idle()
    assert desk.one(person).review_at == clock.now() + timedelta(minutes=5)
    desk.change(lambda: _set_body(order, whole))
    clock.advance(minutes=5)
    runner.run_until_idle()
    assert desk.one(person).review_at is None
