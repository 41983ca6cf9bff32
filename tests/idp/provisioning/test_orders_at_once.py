"""Many orders about one person, carried out at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import sqlalchemy as sa

from idp.models import AffiliationRow, Order
from idp.provisioning.carry_out import carry_out
from idp.provisioning.workshop import Workshop
from tests.idp.provisioning.orders import Desk, hire, transfer


def test_none_of_them_is_locked_out_and_the_last_by_date_counts(desk: Desk, workshop: Workshop, number: int) -> None:
    carry_out(workshop, "order", desk.receive(hire(number, approvedOn="2026-06-01", effectiveOn="2026-06-01")))
    orders = [desk.receive(moved(number, place)) for place in range(100, 124)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda one: carry_out(workshop, "order", one), orders))
    states = desk.all(sa.select(Order.state).where(Order.id.in_(orders)))
    assert set(states) <= {"applying", "applied"}
    lasting = sa.select(AffiliationRow.department).where(AffiliationRow.ends_on.is_(None))
    assert desk.one(lasting) == "0112"


def moved(number: int, place: int) -> dict[str, object]:
    """To and fro, a day each; the last of them leads to 0112."""
    day = (date(2026, 6, 1) + timedelta(days=place - 99)).isoformat()
    body = transfer(number, place=place, approvedOn=day, effectiveOn=day)
    body["persons"][0]["employment"]["departmentCode"] = "0112" if place % 2 else "0407"
    return body
