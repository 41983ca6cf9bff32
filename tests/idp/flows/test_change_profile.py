"""People change their details once, here (3.6): what counts at once, what HR confirms, and whose word is the newest."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.errors import Forbidden
from idp.flows.change_profile import profile, withdraw_change
from idp.flows.choose_language import choose_language
from idp.flows.confirm_change import confirm_change, refuse_change, waiting_changes
from idp.flows.desk import desk
from idp.flows.refusal import Refusal
from idp.models import Account, Link, Order, Person, Statement, Task
from tests.builders import Make, Someone
from tests.idp.details import CONTACTS, SOMEBODY, Desk, wrong
from tests.idp.hr import Hr, changed, hire_of
from tests.idp.recovery import mails, texts

HOME = {"home_address.city": "Ош", "home_address.street": "ул. Ленина"}


@pytest.fixture
def house(make: Make) -> Desk:
    return Desk(make)


def links(make: Make, someone: Someone) -> dict[str, Link]:
    with make.app.app_context():
        found = db.session.scalars(sa.select(Link).where(Link.account_id == someone.id)).all()
        db.session.expunge_all()
        db.session.remove()
    return {link.system: link for link in found}


def tasks(make: Make) -> dict[str, Task]:
    with make.app.app_context():
        found = db.session.scalars(sa.select(Task).where(Task.status.in_(["waiting", "manual"]))).all()
        db.session.expunge_all()
        db.session.remove()
    return {task.system: task for task in found}


def hired(hr: Hr) -> Someone:
    """Somebody with orders behind them, everything opened."""
    hr.deliver("hire")
    hr.finish_tasks()
    account = hr.account()
    return Someone(account.id, account.login, "", account.sub)


# --- what counts at once


def test_a_phone_is_followed_by_every_system_at_once_in_the_same_transaction(make: Make, house: Desk) -> None:
    aida = make.account(systems=("avn", "unet", "moodle"), **CONTACTS)
    assert house.contacts(aida, work_phone="+996 555 123456") == ["work_phone"]
    assert house.known(aida)["work_phone"] == "+996555123456"
    found = tasks(make)
    assert found.keys() == {"avn", "unet", "moodle"}
    assert {(task.action, task.changes["phone"][1], task.revision) for task in found.values()} == {
        ("change", "+996555123456", 2)
    }
    assert {link.attributes["phone"] for link in links(make, aida).values()} == {"+996555123456"}
    assert str(found["avn"].due_on) == "2026-09-14", "three working days"


def test_the_trail_has_both_values_and_the_person_is_told(make: Make, house: Desk, hr: Hr) -> None:
    aida = make.account(**CONTACTS)
    house.contacts(aida, mobile_phone="+996 555 123456")
    (act,) = hr.acts("person-changed")
    assert (act.actor, act.login) == ("account/aida", "aida")
    assert (act.before, act.after) == ({"mobile_phone": "+996700000001"}, {"mobile_phone": "+996555123456"})
    assert [(one.to, one.template) for one in mails(make)] == [("aida@example.org", "profile-changed")]
    (text,) = texts(make)
    assert "Уюлдук телефон" in text
    assert "/report-misuse/" in text


def test_a_home_address_is_kept_sealed_and_only_systems_that_may_learn_it_are_asked(
    make: Make, house: Desk, hr: Hr
) -> None:
    aida = make.account(systems=("unet", "e-kyzmat"), **CONTACTS)
    assert house.contacts(aida, **HOME) == ["home_address"]
    with make.app.app_context():
        person, statement = db.session.scalars(sa.select(Person)).one(), db.session.scalars(sa.select(Statement)).one()
        for stored in (person.home_address, statement.value):
            assert "Ленина".encode() not in (stored or b"")
        db.session.remove()
    attributes = {system: link.attributes.get("home_address", "") for system, link in links(make, aida).items()}
    assert attributes["e-kyzmat"]
    assert not attributes["unet"]
    assert "Ленина" not in str(tasks(make)["e-kyzmat"].changes)
    (act,) = hr.acts("person-changed")
    assert (act.before, act.after) == ({"home_address": None}, {"home_address": "changed"})
    (row,) = [one for one in house.hr(desk, "en", role="admin")["tasks"] if "Kyzmat" in one["system"]]
    assert ("home_address", None, "Ош, ул. Ленина") in row["details"], "the officer has to enter it"


def test_every_malformed_field_is_named_and_nothing_changes(make: Make, house: Desk) -> None:
    aida = make.account(**CONTACTS)
    entered = {"work_phone": "12", "mobile_phone": "", "personal_email": "x", "home_address.country": "kg"}
    assert wrong(house.contacts(aida, **entered)).keys() == {*entered, "home_address.city"}
    assert wrong(house.names(aida, family="Иванoв", given="")) == {"family": "mixed-scripts", "given": "missing"}
    assert not house.waiting(aida)
    assert not tasks(make)
    assert not mails(make)


def test_what_stays_as_it_is_makes_no_work(make: Make, house: Desk) -> None:
    aida = make.account(**CONTACTS)
    assert house.contacts(aida, work_phone="+996 312 000000") == []
    assert house.names(aida) == []
    assert not tasks(make)


def test_a_person_without_orders_keeps_their_account(make: Make, house: Desk) -> None:
    """Accounts made by command have no order behind them; nothing is recomputed out of nothing."""
    aida = make.account(**CONTACTS)
    house.contacts(aida, work_phone="+996555123456")
    with make.app.app_context():
        account = db.session.get_one(Account, aida.id)
        assert account.closes_at is None
        assert account.open_at(make.clock.now())
        db.session.remove()


# --- what HR confirms


def test_a_surname_waits_until_hr_confirms_it_and_then_every_system_follows(make: Make, house: Desk) -> None:
    aida = make.account(systems=("avn", "unet"), latin_family="Ulgubaeva", **CONTACTS)
    assert house.names(aida, family="Мисалова", duties="Куратор") == ["family", "duties"]
    assert house.known(aida)["family"] == "Үлгүбаева"
    assert not tasks(make)
    rows = house.hr(waiting_changes)
    assert [(row["before"], row["after"]) for row in rows] == [("Үлгүбаева", "Мисалова"), (None, "Куратор")]
    for row in rows:
        assert house.hr(confirm_change, row["id"]) is None
    assert house.known(aida)["family"] == "Мисалова"
    assert not house.waiting(aida)
    for task in tasks(make).values():
        assert task.changes["duties"] == [None, "Куратор"]
        assert task.changes["family_name"] == [None, "Мисалова"], "what the first task did not get done is still to be"
    for link in links(make, aida).values():
        assert link.attributes["family_name"] == "Мисалова"
        assert link.attributes["display_name"] == "Мисалова Aida"
        assert link.attributes["login"] == "aida"
    with make.app.app_context():
        assert db.session.scalars(sa.select(Person.latin_family)).one() is None
        db.session.remove()
    assert [one.template for one in mails(make)] == ["change-decided"] * 2
    assert "Милдеттердин" in texts(make)[1]


def test_hr_refuses_with_a_reason_that_the_person_is_told(make: Make, house: Desk, hr: Hr) -> None:
    aida = make.account(**CONTACTS)
    house.names(aida, family="Мисалова")
    statement = house.waiting(aida)["family"]
    refused = house.hr(refuse_change, statement, " ")
    assert refused == Refusal("refusal-reason-required")
    assert house.hr(refuse_change, statement, "Күбөлүк керек") is None
    assert [one["reason"] for one in house.by(aida, profile)["refused"]] == ["Күбөлүк керек"]
    assert house.known(aida)["family"] == "Үлгүбаева"
    assert "Күбөлүк керек" in texts(make)[0]
    (act,) = hr.acts("change-refused")
    assert act.after == {"family": "Мисалова", "reason": "Күбөлүк керек"}
    assert house.hr(confirm_change, statement) == Refusal("gone")
    house.names(aida, family="Кошоева")
    assert house.by(aida, profile)["refused"] == [], "it is about something else now"


def test_what_is_asked_again_takes_the_place_of_what_waited(make: Make, house: Desk) -> None:
    aida = make.account(**CONTACTS)
    house.names(aida, family="Мисалова")
    first = house.waiting(aida)["family"]
    house.names(aida, family="Кошоева")
    assert house.hr(confirm_change, first) == Refusal("gone"), "HR looks at an old page"
    assert [row["after"] for row in house.hr(waiting_changes)] == ["Кошоева"]


def test_it_can_be_taken_back_by_its_person_alone_while_it_waits(make: Make, house: Desk) -> None:
    aida, bermet = make.account(**CONTACTS), make.account("bermet")
    house.names(aida, family="Мисалова")
    statement = house.waiting(aida)["family"]
    assert house.by(bermet, withdraw_change, statement) == Refusal("gone")
    assert house.by(aida, withdraw_change, statement) is None
    assert house.by(aida, withdraw_change, statement) == Refusal("gone")
    assert house.by(aida, withdraw_change, UUID(int=1)) == Refusal("gone")
    assert not house.hr(waiting_changes)
    assert house.hr(confirm_change, statement) == Refusal("gone")


def test_only_hr_decides_and_nobody_about_themselves(make: Make, house: Desk) -> None:
    aida = make.account(**CONTACTS)
    house.names(aida, family="Мисалова")
    house.contacts(aida, personal_email="new@example.org")
    waiting = house.waiting(aida)
    for role, me in (("officer", SOMEBODY), ("security", SOMEBODY), ("hr", aida.id), ("admin", aida.id)):
        assert house.hr(waiting_changes, role=role, me=me) == []
        for flow, more in ((confirm_change, ()), (refuse_change, ("x",))):
            with pytest.raises(Forbidden):
                house.hr(flow, waiting["family"], *more, role=role, me=me)
    for not_theirs in (waiting["personal_email"], UUID(int=1)):
        with pytest.raises(Forbidden):
            house.hr(confirm_change, not_theirs)


def test_of_many_who_decide_at_once_one_does_and_it_happens_once(make: Make, house: Desk, hr: Hr) -> None:
    aida = make.account(**CONTACTS)
    house.names(aida, family="Мисалова")
    statement = house.waiting(aida)["family"]

    def decide(number: int) -> Any:
        if number % 3 == 2:
            return house.by(aida, withdraw_change, statement)
        return house.hr(confirm_change, statement)

    with ThreadPoolExecutor(9) as pool:
        outcomes = list(pool.map(decide, range(9)))
    assert outcomes.count(None) == 1
    assert outcomes.count(Refusal("gone")) == 8
    done = [act.act for act in hr.acts("change-confirmed", "change-withdrawn", "person-changed")]
    assert done in (["change-withdrawn"], ["change-confirmed", "person-changed"])
    assert len(tasks(make)) == (1 if "person-changed" in done else 0)
    assert house.known(aida)["family"] == ("Мисалова" if "person-changed" in done else "Үлгүбаева")


# --- orders and the person


def test_recomputing_undoes_nothing_that_was_said_after_the_order(hr: Hr, house: Desk, clock: SetClock) -> None:
    anara = hired(hr)
    house.contacts(anara, mobile_phone="+996555123456", **{"home_address.city": "Ош"})
    house.names(anara, family="Мисалова")
    house.hr(confirm_change, house.waiting(anara)["family"])
    clock.advance(days=1)
    hr.deliver("transfer")  # says nothing of phones
    clock.advance(days=40)
    hr.work()
    known = house.known(anara)
    assert (known["mobile_phone"], known["family"], known["home_address"]["city"]) == (
        "+996555123456", "Мисалова", "Ош",
    )  # fmt: skip
    assert known["work_phone"] == "+996312000000"


def test_a_later_order_replaces_it_and_its_cancellation_gives_it_back(hr: Hr, house: Desk, clock: SetClock) -> None:
    anara = hired(hr)
    house.contacts(anara, mobile_phone="+996555123456")
    clock.advance(days=2)
    person = hire_of(1)["persons"][0]
    person = {"line": "1", "ids": {"employeeNo": "T-0101"}, "contacts": {"mobilePhone": "+996777000000"}}
    order = changed("hire", orderId="00000000-0000-4000-8000-000000000099", number="9/9-К", kind="contacts",
                    approvedOn="2026-09-10", effectiveOn="2026-09-10", persons=[person])  # fmt: skip
    assert hr.send(order).status_code == 202
    hr.work()
    assert house.known(anara)["mobile_phone"] == "+996777000000"
    cancelled = {name: order[name] for name in ("schema", "orderId", "kind", "number", "approvedOn", "source")}
    cancelled |= {"version": 2, "status": "cancelled", "cancelReason": "error"}
    assert hr.send(cancelled).status_code == 202
    hr.work()
    assert house.known(anara)["mobile_phone"] == "+996555123456", "computed anew out of all that was said"


def test_an_order_is_carried_out_only_once_what_it_opens_is_open_with_the_new_phone(hr: Hr, house: Desk) -> None:
    hr.deliver("hire")
    account = hr.account()
    anara = Someone(account.id, account.login, "", account.sub)
    due = {system: task.due_on for system, task in hr.tasks().items()}
    house.contacts(anara, work_phone="+996555123456")
    assert {system: task.due_on for system, task in hr.tasks().items()} == due, "not put off"
    assert {task.action for task in hr.tasks().values()} == {"open"}
    assert hr.rows(sa.select(Order.state)) == [("applying",)]
    hr.finish_tasks()
    assert hr.rows(sa.select(Order.state)) == [("applied",)]


# --- language


def test_the_language_is_kept_and_told_to_the_systems(make: Make, house: Desk, app: Flask, hr: Hr) -> None:
    aida = make.account(**CONTACTS)
    assert house.by(aida, choose_language, "de") == Refusal("unknown-language")
    assert house.by(aida, choose_language, "ru") is None
    assert house.by(aida, choose_language, "ru") is None
    (act,) = hr.acts("language-chosen")
    assert (act.before, act.after) == ({"language": "ky"}, {"language": "ru"})
    assert tasks(make)["unet"].changes["language"] == [None, "ru"]
    house.contacts(aida, work_phone="+996555123456")
    assert "Рабочий телефон" in texts(make)[0]
