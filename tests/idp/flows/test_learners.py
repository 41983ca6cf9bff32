"""Learners of extension courses and from outside: the portal for the term of a contract, and nothing after it (S2-5)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.models import AffiliationRow, Message, Order
from tests.builders import Make
from tests.idp.hr import Hr, changed
from tests.idp.web.browser import Browser
from tests.idp.web.test_import_pages import as_csv, carry_out, look


@pytest.fixture(autouse=True)
def _before_it_begins(clock: SetClock) -> None:
    clock.moment = datetime(2026, 9, 1, 5, tzinfo=UTC)


COURSE = {"programCode": "IT-COURSE", "groupCode": "ПК-1-26"}


def contract(**changes: Any) -> dict[str, Any]:
    person = {"line": "1", "ids": {"pin": "99999999990077"}, "name": {"family": "Тыштан", "given": "Нурбек"},
              "study": COURSE, "contacts": {"personalEmail": "nurbek@example.org"}}  # fmt: skip
    told = {"orderId": "00000000-0000-4000-8000-000000000077", "kind": "learner_contract", "number": "Д-77",
            "approvedOn": "2026-09-01", "effectiveOn": "2026-09-07", "effectiveUntil": "2026-12-31",
            "persons": [person]} | changes  # fmt: skip
    return changed("student_enrolment", **told)


def end(**changes: Any) -> dict[str, Any]:
    told = {"orderId": "00000000-0000-4000-8000-000000000078", "kind": "learner_contract_end", "number": "Д-78",
            "approvedOn": "2026-10-01", "effectiveOn": "2026-10-05", "effectiveUntil": None,
            "persons": [{"line": "1", "ids": {"pin": "99999999990077"}}]} | changes  # fmt: skip
    return contract(**told)


def begin(hr: Hr, clock: SetClock) -> None:
    """The first day has come."""
    clock.moment = datetime(2026, 9, 6, 18, tzinfo=UTC)
    hr.work()
    assert hr.tasks() == {}


def test_a_contract_opens_the_portal_alone_and_the_account_for_its_term(hr: Hr, clock: SetClock) -> None:
    assert hr.send(contract()).status_code == 202
    hr.work()
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.due_on) == ("moodle", "open", date(2026, 9, 4))
    assert task.changes["affiliation"] == [None, "learner"]
    account = hr.account("n.tyshtan")
    assert account.opens_at == datetime(2026, 9, 6, 18, tzinfo=UTC)
    assert account.closes_at == datetime(2026, 12, 31, 18, tzinfo=UTC)
    # the first password comes as everybody's does
    assert [row.template for row in hr.rows(sa.select(Message.template))] == ["activation"]
    assert hr.rows(sa.select(AffiliationRow.kind, AffiliationRow.programme)) == [("learner", "IT-COURSE")]

    hr.finish_tasks()
    begin(hr, clock)
    clock.moment = datetime(2026, 12, 31, 18, tzinfo=UTC)
    hr.work()
    assert hr.account("n.tyshtan").closed_at == clock.now()
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.due_on) == ("moodle", "close", date(2027, 1, 12))  # after the holidays


def test_a_contract_ends_early_by_an_order_of_its_own(hr: Hr, clock: SetClock) -> None:
    for order in (contract(), end()):
        assert hr.send(order).status_code == 202
        hr.work()
    hr.finish_tasks()
    begin(hr, clock)
    assert hr.account("n.tyshtan").closes_at == datetime(2026, 10, 5, 18, tzinfo=UTC)
    clock.moment = datetime(2026, 10, 5, 18, tzinfo=UTC)
    hr.work()
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.due_on) == ("moodle", "close", date(2026, 10, 8))


def test_a_corrected_contract_lasts_as_long_as_the_newest_version_says(hr: Hr) -> None:
    assert hr.send(contract()).status_code == 202
    hr.work()
    assert hr.send(contract(version=2, effectiveUntil="2027-06-30")).status_code == 202
    hr.work()
    assert hr.account("n.tyshtan").closes_at == datetime(2027, 6, 30, 18, tzinfo=UTC)


@pytest.mark.parametrize("field", ["effectiveUntil", "persons"])
def test_a_contract_has_an_end_and_names_the_course(hr: Hr, field: str) -> None:
    person = {"line": "1", "ids": {"pin": "99999999990077"}, "name": {"family": "Тыштан", "given": "Нурбек"}}
    answer = hr.send(contract(**{field: None if field == "effectiveUntil" else [person]}))
    assert answer.status_code == 422
    path = "$.effectiveUntil" if field == "effectiveUntil" else "$.persons[0].study"
    assert path in answer.get_data(as_text=True)


def test_contracts_come_in_a_table_too(hr: Hr, make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.officer("clerk", role="hr", department=None))
    head = ["Номер приказа", "Вид", "Дата приказа", "Действует с", "Действует до", "Подписал", "ПИН", "Фамилия", "Имя",
            "Код направления"]  # fmt: skip
    row = ["Д-79", "договор слушателя", "01.09.2026", "07.09.2026", "31.12.2026", "Проректор", "99999999990079", "Тыштан",
           "Айбек", "IT-COURSE"]  # fmt: skip
    carry_out(browser, look(browser, as_csv([head, row])))
    hr.work()
    assert [tuple(one) for one in hr.rows(sa.select(Order.kind, Order.state))] == [("learner_contract", "scheduled")]
    assert hr.tasks().keys() == {"moodle"}
    without = look(browser, as_csv([head, [*row[:4], "", *row[5:]]]))
    assert without.status_code == 422 and "Действует до" in without.text
