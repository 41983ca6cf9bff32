"""The execution sheet of an order that waits for a second person."""

import pytest
import sqlalchemy as sa

from idp.models import Order
from tests.builders import Make
from tests.idp.hr import Hr, changed
from tests.idp.web.browser import Browser

TWIN = "00000000-0000-4000-8000-000000000001"


def duplicate(hr: Hr) -> str:
    """The page of an order that may be a duplicate of another."""
    hr.deliver("hire")
    assert hr.send(changed("hire", orderId=TWIN)).status_code == 202
    hr.work()
    return f"/orders/{hr.rows(sa.select(Order.id).where(Order.order_id == TWIN))[0].id}"


def state(hr: Hr) -> str:
    return str(hr.rows(sa.select(Order.state).where(Order.order_id == TWIN))[0].state)


def test_hr_decides_with_a_reason_and_the_order_is_carried_out(hr: Hr, make: Make) -> None:
    page, browser = duplicate(hr), Browser(make)
    browser.sign_in(make.officer("head", role="hr", department=None))
    assert "Another order has the same number" in browser.get(page).text
    refused = browser.submit(f"{page}/release", {"reason": " "}, page=page)
    assert (refused.status_code, "Give the reason for your decision" in refused.text) == (422, True)
    answer = browser.submit(f"{page}/release", {"reason": "two people of one name"}, page=page)
    assert answer.headers["Location"] == page
    told = browser.get(page).text
    assert "The order is being carried out" in told and "waits for a second person" not in told
    hr.work()
    assert state(hr) == "applied", "the person has it all already"


def test_a_dropped_order_stays_undone(hr: Hr, make: Make) -> None:
    page, browser = duplicate(hr), Browser(make)
    browser.sign_in(make.officer("head", role="hr", department=None))
    browser.submit(f"{page}/drop", {"reason": "sent twice"}, page=page)
    assert "The order is left undone" in browser.get(page).text
    hr.work()
    assert state(hr) == "cancelled"


@pytest.mark.parametrize("role", ["officer", "security"])
def test_others_may_not(hr: Hr, make: Make, role: str) -> None:
    page, browser = duplicate(hr), Browser(make)
    browser.sign_in(make.officer("jyldyz", role=role, department=None))
    assert browser.submit(f"{page}/release", {"reason": "x"}, page="/account").status_code == 404
