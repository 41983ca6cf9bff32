"""A system that can only be read: its officer does the work and says so, and a scan tells whether it is so (3.4, 3.7)."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.standins.xroad import XRoadStandin
from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.confirm_task import confirm_task
from idp.flows.here import at_work
from idp.flows.load_profile import load_profile
from idp.flows.refusal import Refusal
from idp.flows.scans import ask_for_scan, begin_scan, mend
from idp.models import Scan, Task
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import Workshop
from idp.settings import Settings
from policies.permissions import Appointment, Who
from policies.reconciliation import Found
from tests.builders import settings_for
from tests.certificates import both_sides, self_signed
from tests.idp.provisioning.orders import Desk, dismissal, hire, rename
from tests.idp.provisioning.test_scan import admin, decide, found
from tests.postgres import free_port

PROFILE = Path(__file__).parents[3] / "policies" / "profiles" / "kstu.toml"
SYSTEM = "e-kyzmat"


@pytest.fixture
def xroad(tmp_path: Path) -> Iterator[XRoadStandin]:
    ours, server = self_signed(tmp_path, "client"), self_signed(tmp_path, "server")
    with XRoadStandin(both_sides(server, ours), ours, server) as standin:
        yield standin


@pytest.fixture
def settings(database_url: str, xroad: XRoadStandin, tmp_path: Path) -> Settings:
    """The university's, with e-Kyzmat connected and nothing else."""
    text = PROFILE.read_text("utf8")
    start = text.index(f'code = "{SYSTEM}"')
    profile = tmp_path / "own.toml"
    profile.write_text(text[:start] + text[start:].replace('kind = "manual"', 'kind = "ekyzmat"', 1), "utf8")
    mail = {"sender": "achkych@kstu.kg", "starttls": False, "port": free_port(), "timeout": 2}
    return settings_for(database_url, profile=str(profile), targets={SYSTEM: asdict(xroad.settings)}, mail=mail)


def confirm(desk: Desk, number: int, clock: SetClock) -> Refusal | None:
    """The officer of HR says that it is done; later the night comes."""
    with desk.app.app_context(), unit_of_work():
        officer = Who("officer", (Appointment("officer", None, SYSTEM, clock.now(), None),))
        here = replace(at_work(desk.service, "account/officer"), who=officer)
        refusal = confirm_task(here, db.session.get_one(Task, desk.task(number, SYSTEM).id), "entered by hand")
    clock.advance(minutes=1)
    return refusal


def night(desk: Desk, runner: Runner, clock: SetClock) -> Scan:
    with desk.app.app_context(), unit_of_work():
        assert begin_scan(at_work(desk.service, "test"), SYSTEM)
    runner.run_until_idle()
    clock.advance(minutes=1)
    scan: Scan = desk.all(sa.select(Scan).order_by(Scan.started_at))[-1]
    assert scan.state == "done", scan.last_error
    return scan


def employ(xroad: XRoadStandin, desk: Desk, number: int) -> dict[str, Any]:
    """As the desk tells the officer to."""
    wanted = desk.link(number, SYSTEM).attributes
    return xroad.employees[xroad.employ(wanted)]


def hired(desk: Desk, runner: Runner, number: int) -> str:
    desk.receive(hire(number))
    runner.run_until_idle()
    return desk.account(number).login


def test_a_hire_waits_for_the_officer_and_nothing_is_sent(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    hired(desk, runner, number)
    task = desk.task(number, SYSTEM)
    assert (task.status, task.action, task.run_at) == ("manual", "open", None)
    assert xroad.calls == []
    assert found(desk, night(desk, runner, clock)) == [], "what nobody has confirmed yet is not wrong"


def test_what_was_confirmed_and_is_so_is_recognised_by_its_address_and_nothing_is_found(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    hired(desk, runner, number)
    employee = employ(xroad, desk, number)
    employee["email"] = employee["email"].upper()
    assert confirm(desk, number, clock) is None
    assert found(desk, night(desk, runner, clock)) == []
    assert desk.link(number, SYSTEM).remote_id == employee["id"]
    desk.receive(dismissal(number))
    runner.run_until_idle()
    employee["state"] = "dismissed"
    assert confirm(desk, number, clock) is None
    assert found(desk, night(desk, runner, clock)) == []


def test_what_was_confirmed_and_is_not_so_is_found(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    login = hired(desk, runner, number)
    confirm(desk, number, clock)
    assert found(desk, night(desk, runner, clock)) == [("missing", login)]
    employee = employ(xroad, desk, number)
    employee["surname"] = "Башка"
    assert found(desk, night(desk, runner, clock)) == [("differing", login)]
    employee["surname"] = desk.link(number, SYSTEM).attributes["family_name"]
    desk.receive(dismissal(number))
    runner.run_until_idle()
    confirm(desk, number, clock)
    assert found(desk, night(desk, runner, clock)) == [("open", login)]


def test_bringing_it_into_line_is_a_task_for_the_officer_that_says_what_is_wrong(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    hired(desk, runner, number)
    confirm(desk, number, clock)
    night(desk, runner, clock)
    assert decide(desk, mend, Found.MISSING) is None
    task = desk.task(number, SYSTEM)
    assert (task.status, task.action, task.changes["active"]) == ("manual", "open", [False, True])
    assert task.changes["family_name"] == [None, "Үлгү"]
    employee = employ(xroad, desk, number)
    employee["position"] = "Башка"
    confirm(desk, number, clock)
    night(desk, runner, clock)
    assert decide(desk, mend, Found.DIFFERING) is None
    task = desk.task(number, SYSTEM)
    assert (task.status, task.action, task.changes) == ("manual", "change", {"title": [None, "Окутуучу"]})
    employee["position"] = "Окутуучу"
    confirm(desk, number, clock)
    desk.receive(dismissal(number))
    runner.run_until_idle()
    confirm(desk, number, clock)
    night(desk, runner, clock)
    assert decide(desk, mend, Found.OPEN) is None
    task = desk.task(number, SYSTEM)
    assert (task.status, task.action, task.changes) == ("manual", "close", {"active": [True, False]})


def test_two_with_one_address_are_told_and_nobody_is_recognised(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    login = hired(desk, runner, number)
    employ(xroad, desk, number)
    employ(xroad, desk, number)
    confirm(desk, number, clock)
    kinds = [kind for kind, _ in found(desk, night(desk, runner, clock))]
    assert sorted(kinds) == ["extra", "extra", "missing"]
    assert desk.link(number, SYSTEM).remote_id is None and login


def test_a_rename_is_compared_with_the_same_employee(
    desk: Desk, runner: Runner, clock: SetClock, xroad: XRoadStandin, number: int
) -> None:
    login = hired(desk, runner, number)
    employee = employ(xroad, desk, number)
    confirm(desk, number, clock)
    night(desk, runner, clock)
    desk.receive(rename(number, "Айпери"))
    runner.run_until_idle()
    confirm(desk, number, clock)
    assert found(desk, night(desk, runner, clock)) == [("differing", login)]
    employee["name"] = "Айпери"
    assert found(desk, night(desk, runner, clock)) == []


def test_an_administrator_may_ask_for_it_to_be_looked_through(desk: Desk) -> None:
    with desk.app.app_context(), unit_of_work():
        load_profile(at_work(desk.service, "test"))
        assert ask_for_scan(admin(desk), SYSTEM) is None


def test_a_target_that_is_only_read_does_not_make_leases_long(workshop: Workshop) -> None:
    slow = {SYSTEM: workshop.targets[SYSTEM]}
    object.__setattr__(slow[SYSTEM], "capabilities", replace(slow[SYSTEM].capabilities, timeout=60.0))
    assert replace(workshop, targets=slow).lease == timedelta(minutes=2)  # two calls of a minute
