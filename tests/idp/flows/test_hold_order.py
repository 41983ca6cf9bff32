"""Orders that would close too much wait for a second person, and count for nothing meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.appointments import appoint_officer, appointments_of
from idp.flows.hold_order import drop_order, release_order
from idp.flows.refusal import Refusal
from idp.models import Account, AuditRecord, Order
from policies.permissions import Who
from tests.builders import Make, Someone
from tests.idp.hr import Hr, changed, hire_of

NUMBER = "7/1-К"


def dismissal(people: int, version: int = 1, **changes: Any) -> dict[str, Any]:
    lines = [
        {"line": str(place), "ids": {"employeeNo": f"E-{place}"}, "reason": {"code": "own-request"}}
        for place in range(1, people + 1)
    ]
    return changed("dismissal_v1", orderId=str(UUID(int=9)), number=NUMBER, version=version, persons=lines, **changes)


def staff(hr: Hr, people: int) -> None:
    for place in range(1, people + 1):
        assert hr.send(hire_of(place)).status_code == 202
    hr.work()
    hr.finish_tasks()


def give(hr: Hr, body: dict[str, Any]) -> None:
    assert hr.send(body).status_code == 202
    hr.work()


def closing(hr: Hr) -> int:
    return len(hr.rows(sa.select(Account.id).where(Account.closes_at.is_not(None))))


def decide(
    make: Make, who: Someone, flow: Callable[..., Refusal | None], reason: str = "checked", version: int = 1
) -> Refusal | None:
    with make.app.app_context(), unit_of_work():
        order = db.session.scalars(sa.select(Order).where(Order.number == NUMBER, Order.version == version)).one()
        here = make.here().acting_as(f"account/{who.login}")
        here = replace(here, who=Who(str(who.id), appointments_of(who.id)))
        return flow(here, order, reason)


@pytest.fixture
def hr_head(make: Make) -> Someone:
    return make.officer("head", role="hr", department=None)


def test_an_order_that_closes_too_many_waits_and_closes_nobody_until_a_second_person_lets_it_go_on(
    hr: Hr, make: Make, hr_head: Someone
) -> None:
    staff(hr, 26)
    give(hr, dismissal(26))
    assert (hr.states()[f"{NUMBER} v1"], closing(hr)) == ("needs_review", 0)
    assert decide(make, hr_head, release_order, " ") == Refusal("release-reason-required")
    assert decide(make, hr_head, release_order) is None
    hr.work()
    assert (hr.states()[f"{NUMBER} v1"], closing(hr)) == ("scheduled", 26)
    assert decide(make, hr_head, release_order) == Refusal("gone")
    acts = [row.act for row in hr.rows(sa.select(AuditRecord.act).order_by(AuditRecord.number))]
    assert [act for act in acts if act in ("order-held", "order-released")] == ["order-held", "order-released"]


def test_what_was_let_go_on_does_not_wait_again_on_its_day(
    hr: Hr, make: Make, hr_head: Someone, clock: SetClock
) -> None:
    staff(hr, 26)
    give(hr, dismissal(26))
    decide(make, hr_head, release_order)
    hr.work()
    clock.moment = datetime(2026, 11, 30, 18, tzinfo=UTC)
    hr.work()
    assert hr.states()[f"{NUMBER} v1"] == "applying"
    assert {task.action for task in hr.tasks().values()} == {"close"}


def test_a_dropped_order_closes_nobody_and_its_next_version_is_looked_at_anew(
    hr: Hr, make: Make, hr_head: Someone
) -> None:
    staff(hr, 26)
    give(hr, dismissal(26))
    assert decide(make, hr_head, drop_order) is None
    assert (hr.states()[f"{NUMBER} v1"], closing(hr)) == ("cancelled", 0)
    give(hr, dismissal(5, version=2))
    assert (hr.states()[f"{NUMBER} v2"], closing(hr)) == ("scheduled", 5)


def test_while_a_correction_waits_the_version_before_it_stays_in_force(hr: Hr, make: Make, hr_head: Someone) -> None:
    staff(hr, 30)
    give(hr, dismissal(2))
    give(hr, dismissal(30, version=2))
    assert (hr.states()[f"{NUMBER} v2"], closing(hr)) == ("needs_review", 2)
    decide(make, hr_head, release_order, version=2)
    hr.work()
    assert (hr.states()[f"{NUMBER} v1"], hr.states()[f"{NUMBER} v2"], closing(hr)) == ("superseded", "scheduled", 30)


def test_taking_back_the_order_that_hired_many_waits_like_a_dismissal(hr: Hr) -> None:
    hire = hire_of(1)
    hire["persons"] = [
        hire["persons"][0] | {"line": str(place), "ids": {"pin": f"{place:014}", "employeeNo": f"E-{place}"}}
        for place in range(1, 27)
    ]
    give(hr, hire)
    taken_back = {name: hire[name] for name in ("schema", "orderId", "kind", "number", "approvedOn", "source")}
    give(hr, taken_back | {"version": 2, "status": "cancelled", "cancelReason": "never signed"})
    assert hr.states()["9/1-К v2"] == "needs_review"
    assert len(hr.rows(sa.select(Account.id).where(Account.opens_at.is_not(None)))) == 26


def test_an_administrator_is_never_closed_by_an_order_alone_and_nobody_lets_their_own_go_on(
    hr: Hr, make: Make, hr_head: Someone
) -> None:
    staff(hr, 1)
    with make.app.app_context(), unit_of_work():
        account = db.session.scalars(sa.select(Account).where(Account.email.like("%ulgu%"))).one()
        appoint_officer(make.here(), account, "admin", None, None, "test order 1")
        someone = Someone(account.id, account.login, "", "")
    give(hr, dismissal(1))
    assert (hr.states()[f"{NUMBER} v1"], closing(hr)) == ("needs_review", 0)
    with pytest.raises(Forbidden):
        decide(make, someone, release_order)


def test_of_ten_who_let_it_go_on_at_once_one_does(hr: Hr, make: Make, hr_head: Someone) -> None:
    staff(hr, 26)
    give(hr, dismissal(26))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: decide(make, hr_head, release_order), range(10)))
    assert answers.count(None) == 1
