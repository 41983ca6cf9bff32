"""An order from its arrival to the account read back in every connected system."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.standins.moodle import MoodleStandin
from idp.clock import SetClock
from idp.db import db
from idp.flows.confirm_task import confirm_task
from idp.models import AuditRecord, Task
from idp.provisioning.runner import Runner
from policies.permissions import Appointment, Who
from tests.builders import Make
from tests.idp.provisioning.orders import CONNECTED, Desk, dismissal, hire, transfer


@pytest.fixture
def hired(desk: Desk, runner: Runner, number: int) -> int:
    desk.receive(hire(number))
    runner.run_until_idle()
    return number


def test_a_hire_ends_with_accounts_read_back_in_all_three_systems(
    desk: Desk, hired: int, at_target: dict[str, Any]
) -> None:
    account = desk.account(hired)
    for system in CONNECTED:
        remote = at_target[system].find(desk.key(hired))
        link, task = desk.link(hired, system), desk.task(hired, system)
        assert remote is not None
        assert remote.active
        assert remote.account_id == str(account.id)
        assert remote.attributes["email"] == account.email
        assert (link.remote_id, link.applied_revision, link.verified_at) == (remote.id, 1, task.done_at)
        assert link.seen == task.read_back == {"id": remote.id, "active": True} | remote.attributes
        assert (task.status, task.done_by) == ("done", "worker")
        assert (task.run_at, task.owner, task.lease_until) == (None, None, None)


def test_an_order_is_applied_when_its_tasks_by_hand_are_confirmed_too(
    desk: Desk, runner: Runner, make: Make, number: int
) -> None:
    order = desk.receive(hire(number))
    runner.run_until_idle()
    assert desk.order(order).state == "applying"
    confirm_by_hand(desk, make)
    assert desk.order(order).state == "applied"


def confirm_by_hand(desk: Desk, make: Make) -> None:
    admin = make.officer("admin", role="admin", department=None)
    with desk.app.app_context():
        here = make.here()
        who = Who(str(admin.id), (Appointment("admin", None, None, here.now, None),))
        for task in db.session.scalars(sa.select(Task).where(Task.status == "manual")):
            assert confirm_task(replace(here, who=who), task, "done by hand") is None
        db.session.commit()
        db.session.remove()


def test_a_transfer_updates_what_has_changed(desk: Desk, runner: Runner, hired: int, at_target: dict[str, Any]) -> None:
    desk.receive(transfer(hired))
    runner.run_until_idle()
    seen = at_target["unet"].find(desk.key(hired))
    assert (seen.attributes["department"], seen.attributes["title"]) == ("0112", "Доцент")
    assert [task.action for task in desk.tasks(hired, "unet")] == ["open", "change"]
    assert {desk.task(hired, system).status for system in CONNECTED} == {"done"}
    assert desk.link(hired, "unet").applied_revision == 2


def test_a_transfer_leads_from_one_cohort_of_moodle_to_the_other(
    desk: Desk, runner: Runner, hired: int, moodle: MoodleStandin, at_target: dict[str, Any]
) -> None:
    seen = at_target["moodle"].find(desk.key(hired))
    before = f"achkych:department:{seen.attributes['department']}"
    assert moodle.cohorts.people()[before] == [int(seen.id)]
    desk.receive(transfer(hired))
    runner.run_until_idle()
    assert moodle.cohorts.people()[before] == []
    assert moodle.cohorts.people()["achkych:department:0112"] == [int(seen.id)]
    assert desk.link(hired, "moodle").seen["department"] == "0112"


def test_a_dismissal_closes_everywhere_and_reads_it_back(
    desk: Desk, runner: Runner, hired: int, at_target: dict[str, Any]
) -> None:
    desk.receive(dismissal(hired))
    runner.run_until_idle()
    for system in CONNECTED:
        assert at_target[system].find(desk.key(hired)).active is False
        assert desk.task(hired, system).read_back["active"] is False
        assert desk.link(hired, system).seen["active"] is False
        assert desk.task(hired, system).status == "done"


def test_a_dismissal_on_a_later_day_acts_at_its_moment_and_not_before(
    desk: Desk, runner: Runner, clock: SetClock, hired: int, at_target: dict[str, Any]
) -> None:
    order = desk.receive(dismissal(hired, immediate=False, effectiveOn="2026-09-11"))
    runner.run_until_idle()
    assert desk.order(order).state == "scheduled"
    clock.advance(hours=59, minutes=59)  # 23:59 in Bishkek on the last day
    runner.run_until_idle()
    assert at_target["unet"].find(desk.key(hired)).active is True
    clock.advance(minutes=1)
    runner.run_until_idle()
    assert at_target["unet"].find(desk.key(hired)).active is False
    assert desk.order(order).state == "applying"  # systems by hand are left


def test_each_step_stands_in_the_audit_trail_with_what_was_there_before_and_after(desk: Desk, hired: int) -> None:
    this = (AuditRecord.act == "access-open-done", AuditRecord.subject == "system/unet")
    done = desk.one(sa.select(AuditRecord).where(*this))
    assert (done.actor, done.before) == ("worker", {})
    assert done.after["active"] is True


def test_applying_an_order_again_asks_for_nothing(desk: Desk, runner: Runner, hired: int) -> None:
    assert runner.run_until_idle() == 0
    assert len(desk.tasks(hired, "unet")) == 1
