"""Whoever sends orders is told what becomes of each version: every state, signed, in its order."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.appointments import appoint_officer
from idp.flows.hold_order import drop_order, release_order
from idp.models import Account, EventNotice, Officer, Order
from idp.provisioning.carry_out import MOST_FAILURES
from idp.provisioning.runner import Runner
from idp.settings import Settings
from idp.standard_webhooks import is_signed, new_key
from policies.permissions import Appointment, Who
from tests.builders import HMAC_KEY, Make, settings_for
from tests.idp.hr import Hr
from tests.idp.provisioning.listening_receiver import Receiver, receiving
from tests.idp.provisioning.orders import Desk, dismissal, hire

KEY = new_key()
Told = list[tuple[str, int, str | None]]


@pytest.fixture
def hr() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def settings(database_url: str, hr: Receiver) -> Settings:
    callback = {"url": hr.base + "/orders", "keys": [KEY]}
    senders = {"shnet": {"keys": [HMAC_KEY], "addresses": ["127.0.0.0/8"], "callback": callback}}
    return settings_for(database_url, senders=senders)


def told(hr: Receiver) -> Told:
    """State, version and note, as they came; the type says the state as well."""
    assert all(body["type"] == f"order.{body['data']['state']}" for body in hr.bodies)
    return [(one["data"]["state"], one["data"]["version"], one["data"]["note"]) for one in hr.bodies]


def make_done(make: Make, desk: Desk, runner: Runner) -> None:
    """Say of every open task that it is done, as a worker would."""
    Hr(desk.app, make.clock).finish_tasks()
    runner.run_until_idle()


def chief(make: Make, desk: Desk) -> Who:
    someone = make.officer("bakyt", role="admin", department=None)
    rows = desk.all(sa.select(Officer).where(Officer.account_id == someone.id))
    return Who(str(someone.id), tuple(Appointment(o.role, o.department, o.system, o.from_, o.until) for o in rows))


def test_from_arrival_until_it_is_carried_out(
    make: Make, desk: Desk, runner: Runner, hr: Receiver, number: int, clock: SetClock
) -> None:
    body = hire(number)
    order_pk = desk.receive(body)
    runner.run_until_idle()
    make_done(make, desk, runner)
    assert told(hr) == [("accepted", 1, None), ("applying", 1, None), ("applied", 1, None)]
    path, headers, raw = hr.heard[-1]
    assert path == "/orders"
    assert is_signed(headers, raw, [KEY], clock.now())
    assert len({headers["webhook-id"] for _, headers, _ in hr.heard}) == 3
    assert json.loads(raw)["data"] == {
        "orderId": body["orderId"], "version": 1, "receipt": desk.order(order_pk).receipt, "state": "applied",
        "note": None,
    }  # fmt: skip


def test_an_order_whose_day_has_not_come_is_scheduled(
    desk: Desk, runner: Runner, hr: Receiver, number: int, clock: SetClock
) -> None:
    desk.receive(hire(number, effectiveOn="2026-09-11"))
    runner.run_until_idle()
    clock.advance(days=2)
    runner.run_until_idle()
    assert [state for state, _, _ in told(hr)] == ["accepted", "scheduled", "applying"]


def test_a_correction_supersedes_and_a_cancellation_cancels(
    desk: Desk, runner: Runner, hr: Receiver, number: int
) -> None:
    desk.receive(hire(number))
    runner.run_until_idle()
    desk.receive(hire(number, version=2))
    runner.run_until_idle()
    desk.receive(hire(number, version=3, status="cancelled"))
    runner.run_until_idle()
    states = [(state, version) for state, version, _ in told(hr)]
    assert states[:4] == [("accepted", 1), ("applying", 1), ("accepted", 2), ("superseded", 1)]
    assert states[-3:] == [("accepted", 3), ("superseded", 2), ("cancelled", 3)]
    assert states.count(("superseded", 1)) == states.count(("superseded", 2)) == 1


def test_versions_out_of_their_order_are_superseded(desk: Desk, runner: Runner, hr: Receiver, number: int) -> None:
    desk.receive(hire(number))
    desk.receive(hire(number, version=3))
    desk.receive(hire(number, version=2))  # only kept
    runner.run_until_idle()
    states = told(hr)
    assert ("superseded", 2, "stale") in states
    assert [one for one in states if one[0] == "superseded" and one[1] == 1] == [("superseded", 1, None)]


def test_one_that_may_be_a_duplicate_says_so(desk: Desk, runner: Runner, hr: Receiver, number: int) -> None:
    desk.receive(hire(number))
    desk.receive(hire(number) | {"orderId": f"00000000-0000-4000-8999-{number:012}"})
    runner.run_until_idle()
    assert ("needs_review", 1, "possible_duplicate") in told(hr)


@pytest.mark.parametrize("settled", [release_order, drop_order])
def test_one_that_a_brake_holds_says_so_and_what_is_decided(
    make: Make, desk: Desk, runner: Runner, hr: Receiver, number: int, settled: Any
) -> None:
    who = chief(make, desk)
    desk.receive(hire(number))
    runner.run_until_idle()
    hr.heard.clear()
    account_id = desk.account(number).id
    with desk.app.app_context(), unit_of_work():
        appoint_officer(make.here(), db.session.get_one(Account, account_id), "admin", None, None, "test order 1")
    order_pk = desk.receive(dismissal(number))
    runner.run_until_idle()
    assert [state for state, _, _ in told(hr)] == ["accepted", "needs_review"]
    assert told(hr)[-1][2] is not None
    with desk.app.app_context(), unit_of_work():
        here = replace(make.here(), who=who)
        assert settled(here, db.session.get_one(Order, order_pk), "looked at twice") is None
    runner.run_until_idle()
    states = [state for state, _, _ in told(hr)][2:]
    assert states[0] == ("accepted" if settled is release_order else "cancelled")


def test_one_that_can_not_be_carried_out_is_failed(
    desk: Desk, runner: Runner, hr: Receiver, number: int, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("idp.provisioning.carry_out.apply_order", broken)
    desk.receive(hire(number))
    for _ in range(MOST_FAILURES):
        runner.run_until_idle()
        clock.advance(hours=2)
    runner.run_until_idle()
    assert told(hr) == [("accepted", 1, None), ("failed", 1, None)]


def test_what_was_not_heard_holds_up_the_same_order_and_no_other(
    desk: Desk, runner: Runner, hr: Receiver, number: int, clock: SetClock
) -> None:
    hr.will_answer(503)
    desk.receive(hire(number))
    desk.receive(hire(number + 100_000))
    runner.run_until_idle()
    assert len({one["data"]["orderId"] for one in hr.bodies[1:]}) == 1
    clock.advance(seconds=5)
    runner.run_until_idle()
    mine = [one["data"]["state"] for one in hr.bodies if one["data"]["orderId"] == hire(number)["orderId"]]
    assert mine == ["accepted", "accepted", "applying"]


def test_an_address_taken_from_the_settings_is_not_called_any_more(
    desk: Desk, runner: Runner, hr: Receiver, number: int
) -> None:
    desk.receive(hire(number))
    object.__setattr__(desk.service.settings.senders["shnet"], "callback", None)
    runner.run_until_idle()
    (notice,) = desk.all(sa.select(EventNotice))
    assert (hr.heard, notice.status, notice.last_error) == ([], "failed", "the settings do not name it any more")
