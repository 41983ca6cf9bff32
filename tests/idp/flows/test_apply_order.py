"""What the contract's sample orders do to a person: affiliations, account, tasks with deadlines, and taking back."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from threading import Barrier
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.apply_order import apply_order
from idp.flows.here import at_work
from idp.flows.sessions import find_session, start_session
from idp.flows.why_no_access import why_no_access
from idp.models import Account, AffiliationRow, AuditRecord, Link, Lockout, Order, OrderLine, Person
from policies.denial import Reason
from tests.idp.hr import Hr, changed, hire_of, sample

EVERYBODY = {"avn", "moodle", "unet", "library", "antiplagiarism", "website", "mail"}
STAFF = EVERYBODY | {"e-kyzmat", "infodocs"}


def bishkek(month: int, day: int) -> datetime:
    """The moment at which that day of 2026 begins in Bishkek."""
    return datetime(2026, month, day, tzinfo=ZoneInfo("Asia/Bishkek")).astimezone(UTC)


def affiliations(hr: Hr) -> set[tuple[Any, ...]]:
    row = AffiliationRow
    return set(map(tuple, hr.rows(sa.select(row.kind, row.department, row.position, row.starts_on, row.ends_on))))


def links(hr: Hr) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """What is wanted in each system: open or not, and with which programs."""
    rows = hr.rows(sa.select(Link.system, Link.active, Link.attributes))
    return {system: (active, tuple(attributes["programs"])) for system, active, attributes in rows}


def lines(hr: Hr, number: str, version: int = 1) -> list[tuple[str, str]]:
    which = sa.select(OrderLine.line, OrderLine.state).join(Order, Order.id == OrderLine.order_pk)
    return [
        tuple(row)
        for row in hr.rows(which.where(Order.number == number, Order.version == version).order_by(OrderLine.position))
    ]


def hired(hr: Hr) -> Account:
    """Anara after her hire, everything opened."""
    hr.deliver("hire")
    hr.finish_tasks()
    return hr.account()


# --- the story of Anara


def test_a_hire_opens_an_account_from_its_day_and_asks_for_every_system_by_the_third_working_day(hr: Hr) -> None:
    hr.deliver("hire")
    account = hr.account()
    assert (account.email, account.opens_at, account.closes_at) == ("a.ulgubaeva@kstu.kg", bishkek(9, 7), None)
    assert affiliations(hr) == {("employee", "0407", "Старший преподаватель", date(2026, 9, 7), None)}
    tasks = hr.tasks()
    assert tasks.keys() == STAFF | {"zoom"}
    assert {(task.action, task.due_on, task.due_at) for task in tasks.values()} == {
        ("open", date(2026, 9, 4), bishkek(9, 5))
    }
    assert tasks["avn"].due_basis["start"] == "2026-09-01"
    assert {system for system, task in tasks.items() if task.status == "manual"} == tasks.keys() - {
        "moodle",
        "unet",
        "mail",
    }
    assert links(hr)["unet"] == (True, ("unet.employee",))
    assert links(hr)["zoom"] == (True, ("zoom.licensed",))
    assert hr.states() == {"1/101-К v1": "applying"}


def test_an_order_is_applied_when_its_last_task_is_done_and_not_before(hr: Hr) -> None:
    hr.deliver("hire")
    hr.finish_tasks(STAFF)
    assert hr.states() == {"1/101-К v1": "applying"}
    hr.finish_tasks(["zoom"])
    assert hr.states() == {"1/101-К v1": "applied"}


def test_a_transfer_takes_away_on_its_day_what_the_new_post_does_not_carry_and_leaves_the_rest(
    hr: Hr, clock: SetClock
) -> None:
    hired(hr)
    hr.deliver("transfer")
    assert hr.tasks() == {}, "nothing changes before the day"
    assert hr.states()["1/118-К v1"] == "scheduled"
    assert links(hr)["zoom"] == (True, ("zoom.licensed",))
    clock.moment = bishkek(10, 1)
    hr.work()
    tasks = hr.tasks()
    assert tasks.keys() == STAFF | {"zoom"}
    assert {(system, task.action) for system, task in tasks.items() if task.action != "change"} == {("zoom", "close")}
    assert {(task.due_on, task.due_at) for task in tasks.values()} == {(date(2026, 10, 6), bishkek(10, 7))}
    assert tasks["zoom"].due_basis["skipped"] == ["2026-10-03", "2026-10-04"]
    assert links(hr)["zoom"] == (False, ("zoom.licensed",)), "a closed account keeps the looks of its last day"
    assert links(hr)["unet"] == (True, ())
    assert links(hr)["avn"] == (True, ("avn.teacher",))
    assert affiliations(hr) == {
        ("employee", "0407", "Старший преподаватель", date(2026, 9, 7), date(2026, 9, 30)),
        ("employee", "0112", "Доцент", date(2026, 10, 1), None),
    }
    assert hr.account().closes_at is None


def test_a_dismissal_closes_everything_at_the_end_of_its_last_day(hr: Hr, clock: SetClock) -> None:
    account = hired(hr)
    clock.moment = datetime(2026, 11, 17, 6, tzinfo=UTC)
    hr.deliver("dismissal_v1")
    assert hr.tasks() == {}, "the last day of access is still to come"
    assert hr.account().closes_at == bishkek(12, 1)
    token = signed_in(hr, account)
    clock.moment = bishkek(12, 1)
    hr.work()
    tasks = hr.tasks()
    assert tasks.keys() == STAFF | {"zoom"}
    assert {(t.action, t.priority, t.due_on, t.due_at) for t in tasks.values()} == {
        ("close", 0, date(2026, 12, 3), bishkek(12, 4))
    }
    assert hr.account().closed_at == clock.now()
    assert not any(active for active, _ in links(hr).values())
    with hr.looking():
        assert find_session(token, clock.now()) is None


def test_a_leave_closes_for_its_time_what_its_type_does_not_keep_and_it_opens_again_when_it_is_over(
    hr: Hr, clock: SetClock
) -> None:
    account = hired(hr)
    hr.deliver("leave")
    assert (hr.tasks(), hr.states()["1/130-О v1"]) == ({}, "scheduled")
    clock.moment = datetime(2027, 1, 10, 18, tzinfo=UTC)
    hr.work()
    closed = hr.tasks()
    assert closed.keys() == (STAFF | {"zoom"}) - {"mail", "moodle"}
    assert {(task.action, task.due_on) for task in closed.values()} == {("close", date(2027, 1, 14))}
    with hr.looking():
        why = why_no_access(at_work(hr.app.extensions["achkych"], "test"), account.id, "unet")
    assert why is Reason.ON_LEAVE
    hr.finish_tasks()
    assert hr.states()["1/130-О v1"] == "applied"
    clock.moment = datetime(2028, 7, 10, 18, tzinfo=UTC)
    hr.work()
    opened = hr.tasks()
    assert opened.keys() == closed.keys()
    assert {(task.action, task.due_on) for task in opened.values()} == {("open", date(2028, 7, 14))}
    assert hr.account().closes_at is None


def test_who_comes_back_earlier_has_everything_again_from_that_day(hr: Hr, clock: SetClock) -> None:
    hired(hr)
    hr.deliver("leave")
    clock.moment = datetime(2027, 1, 10, 18, tzinfo=UTC)
    hr.work()
    hr.finish_tasks()
    back = changed("leave", kind="return", number="1/131-О", orderId=str(UUID(int=7)), effectiveOn="2027-06-01",
                   approvedOn="2027-05-28", effectiveUntil=None)  # fmt: skip
    assert hr.send(back).status_code == 202
    hr.work()
    clock.moment = datetime(2027, 5, 31, 18, tzinfo=UTC)
    hr.work()
    assert {task.action for task in hr.tasks().values()} == {"open"}
    assert all(active for active, _ in links(hr).values())


def test_a_line_nobody_is_found_for_waits_and_the_order_is_done_in_part(hr: Hr, clock: SetClock) -> None:
    hired(hr)
    hr.deliver("dismissal_v1")
    assert lines(hr, "1/140-К") == [("1", "done"), ("2", "not_found")]
    assert hr.states()["1/140-К v1"] == "scheduled"
    clock.moment = bishkek(12, 1)
    hr.work()
    assert hr.states()["1/140-К v1"] == "applying"
    hr.finish_tasks()
    assert hr.states()["1/140-К v1"] == "partly_applied"


def test_a_dismissal_that_finds_nobody_needs_review_is_looked_at_once_more_and_changes_nothing(
    hr: Hr, clock: SetClock
) -> None:
    hr.deliver("dismissal_v1")
    assert hr.states() == {"1/140-К v1": "needs_review"}
    [(look,)] = hr.rows(sa.select(Order.run_at))  # who they are may be told just now, by an order not to be seen yet
    assert look == clock.moment + timedelta(minutes=1)
    clock.moment = look
    hr.work()
    assert hr.states() == {"1/140-К v1": "needs_review"} and hr.rows(sa.select(Order.run_at)) == [(None,)]
    assert lines(hr, "1/140-К") == [("1", "not_found"), ("2", "not_found")]
    assert hr.rows(sa.select(Person.id)) == []


def test_an_order_that_came_before_its_person_finds_them_later(hr: Hr) -> None:
    hr.deliver("dismissal_v1", "hire")
    assert lines(hr, "1/140-К") == [("1", "done"), ("2", "not_found")]
    assert hr.states()["1/140-К v1"] == "scheduled"
    assert hr.account().closes_at == bishkek(12, 1)


def test_a_correction_moves_the_end_and_reopens_what_was_closed(hr: Hr, clock: SetClock) -> None:
    hired(hr)
    hr.deliver("dismissal_v1")
    clock.moment = bishkek(12, 1)
    hr.work()
    hr.finish_tasks()
    hr.deliver("dismissal_v2_correction")
    account = hr.account()
    assert (account.closes_at, account.closed_at) == (bishkek(12, 16), None)
    assert all(active for active, _ in links(hr).values())
    assert {task.changes["active"][1] for task in hr.tasks().values()} == {True}
    assert hr.states() == {"1/101-К v1": "applied", "1/140-К v1": "superseded", "1/140-К v2": "scheduled"}
    clock.moment = bishkek(12, 16)
    hr.work()
    assert {task.due_on for task in hr.tasks().values()} == {date(2026, 12, 18)}
    assert hr.account().closed_at == clock.now()


def test_a_cancellation_leaves_the_person_as_if_the_order_had_never_been(hr: Hr, clock: SetClock) -> None:
    before = hired(hr), affiliations(hr), links(hr)
    hr.deliver("dismissal_v1")
    clock.moment = bishkek(12, 1)
    hr.work()
    hr.finish_tasks()
    hr.deliver("dismissal_v2_correction", "dismissal_v3_cancellation")
    account = hr.account()
    assert (account.login, account.sub, account.closes_at, account.closed_at) == (
        before[0].login,
        before[0].sub,
        None,
        None,
    )
    assert (affiliations(hr), links(hr)) == before[1:]
    assert hr.states()["1/140-К v3"] == "cancelled"
    assert {task.action for task in hr.tasks().values()} <= {"change", "open"}
    assert [record.act for record in hr.acts("account-closed", "account-reopened")] == [
        "account-closed",
        "account-reopened",
    ]


def test_a_cancellation_before_the_day_leaves_no_task_at_all(hr: Hr) -> None:
    hired(hr)
    hr.deliver("dismissal_v1", "dismissal_v2_correction", "dismissal_v3_cancellation")
    assert hr.tasks() == {}
    assert hr.account().closes_at is None


def test_a_superseded_order_that_was_scheduled_does_nothing_on_its_day(hr: Hr, clock: SetClock) -> None:
    hired(hr)
    hr.deliver("dismissal_v1", "dismissal_v2_correction")
    clock.moment = bishkek(12, 1)
    hr.work()
    assert hr.tasks() == {}
    assert hr.account().closed_at is None
    assert hr.states()["1/140-К v1"] == "superseded"


def test_a_newer_version_that_has_arrived_and_was_not_applied_yet_takes_nothing_away(hr: Hr) -> None:
    """Another order of the person may be applied in between; the hire must not vanish for that moment."""
    hired(hr)
    hr.send(changed("hire", version=2))
    with hr.app.app_context(), unit_of_work():
        db.session.execute(sa.update(Order).where(Order.version == 2).values(run_at=None))
    hr.deliver("rename")
    assert hr.account().closed_at is None
    assert links(hr)["avn"] == (True, ("avn.teacher",))


def test_what_a_later_order_overtakes_keeps_its_deadline_and_finishes_the_first(hr: Hr) -> None:
    hr.deliver("hire", "rename")
    assert hr.states() == {"1/101-К v1": "applied", "1/125-К v1": "applying"}
    tasks = hr.tasks()
    assert {(task.action, task.due_on) for task in tasks.values()} == {("open", date(2026, 9, 4))}
    assert tasks["avn"].changes["family_name"] == [None, "Мисалова"]  # the account is still to be opened


def test_a_rename_changes_the_name_everywhere_and_the_login_nowhere(hr: Hr) -> None:
    hired(hr)
    hr.deliver("rename")
    assert hr.account().login == "a.ulgubaeva"
    assert {task.action for task in hr.tasks().values()} == {"change"}
    [changed_] = [record for record in hr.acts("person-changed") if record.before and "family" in record.before]
    assert (changed_.before["family"], changed_.after["family"]) == ("Үлгүбаева", "Мисалова")
    assert changed_.after["patronymic"] is None


def test_the_home_address_is_kept_sealed_follows_the_orders_and_is_never_on_record(hr: Hr) -> None:
    hired(hr)
    home = {"country": "KG", "city": "Бишкек", "street": "ул. Образцовая", "building": "1", "flat": "2"}
    assert home_address(hr) == home
    line = json.loads(sample("rename"))["persons"][0]
    for version, told in enumerate(({"city": "Ош"}, {"city": "Ош"}, {}), 1):
        persons = [{"line": line["line"], "ids": line["ids"], "contacts": {"homeAddress": told}}]
        assert hr.send(changed("rename", kind="contacts", version=version, persons=persons)).status_code == 202
        hr.work()
        assert home_address(hr) == (told or None)
    told_ = [record for record in hr.acts("person-changed") if record.before and "home_address" in record.before]
    assert [(record.before["home_address"], record.after["home_address"]) for record in told_] == [
        (None, "changed"), ("changed", "changed"), ("changed", None),
    ]  # fmt: skip
    with hr.looking():
        trail = str([(record.before, record.after) for record in db.session.scalars(sa.select(AuditRecord))])
        kept = db.session.scalars(sa.select(Person.home_address)).one()
    assert not {"Бишкек", "Ош", "Образцовая"} & set(re.findall(r"\w+", trail))
    assert kept is None


def home_address(hr: Hr) -> Any:
    """What is kept of the one person's, opened; the database alone tells nothing of it."""
    with hr.looking() as here:
        person = db.session.scalars(sa.select(Person)).one()
        sealed = person.home_address
        if sealed is None:
            return None
        assert "Ош".encode() not in sealed
        assert "Бишкек".encode() not in sealed
        return json.loads(here.service.vault.open(sealed, f"person/{person.id}/home_address"))


# --- in any order, any number of times


STORY = ("hire", "transfer", "rename", "dismissal_v1", "dismissal_v2_correction", "leave")


def end_state(hr: Hr) -> tuple[Any, ...]:
    account = hr.account()
    person = hr.rows(sa.select(Person.family, Person.given, Person.patronymic, Person.employee_no, Person.review_at))
    return account.opens_at, account.closes_at, affiliations(hr), links(hr), person, hr.tasks().keys()


ORDERS = [STORY, STORY[::-1], *list(permutations(STORY))[97::211]]


@pytest.mark.parametrize("names", ORDERS, ids=lambda names: "-".join(name[:2] + name[-1] for name in names))
def test_the_order_of_arrival_makes_no_difference_to_the_end(hr: Hr, clock: SetClock, names: tuple[str, ...]) -> None:
    for name in names:
        assert hr.send(sample(name)).status_code in {202, 409}
        hr.work()
    for moment in (bishkek(9, 20), bishkek(10, 1), bishkek(12, 1)):
        clock.moment = moment
        hr.work()
    assert end_state(hr)[:2] == (bishkek(9, 7), bishkek(12, 16))
    assert affiliations(hr) == {
        ("employee", "0407", "Старший преподаватель", date(2026, 9, 7), date(2026, 9, 30)),
        ("employee", "0112", "Доцент", date(2026, 10, 1), date(2026, 12, 15)),
    }
    assert {system for system, (active, _) in links(hr).items() if active} == STAFF
    assert links(hr)["unet"] == (True, ())
    assert hr.rows(sa.select(Person.family)) == [("Мисалова",)]


def test_applying_again_and_again_changes_nothing(hr: Hr, clock: SetClock) -> None:
    for name in STORY:
        hr.send(sample(name))
        hr.work()
    clock.moment = bishkek(10, 1)
    hr.work()
    before, records = end_state(hr), len(hr.acts())
    for _ in range(3):
        with hr.app.app_context():
            for order_pk in [row.id for row in hr.rows(sa.select(Order.id).where(Order.state != "superseded"))]:
                with unit_of_work():
                    apply_order(at_work(hr.app.extensions["achkych"], "worker"), db.session.get_one(Order, order_pk))
    assert end_state(hr) == before
    assert len(hr.acts()) == records


# --- who is who


def test_an_enrolment_with_a_known_personal_number_is_a_second_affiliation_of_the_same_person(
    hr: Hr, clock: SetClock
) -> None:
    """The sample enrols somebody under Anara's number: one person, one account, two ways of belonging."""
    hired(hr)
    hr.deliver("student_enrolment")
    assert lines(hr, "2/301-С") == [("1.1", "done"), ("1.2", "done")]
    assert len(hr.rows(sa.select(Person.id))) == 2
    with hr.looking():
        anara = db.session.scalars(sa.select(Person).where(Person.employee_no == "T-0101")).one()
        kinds = db.session.scalars(sa.select(AffiliationRow.kind).where(AffiliationRow.person_id == anara.id)).all()
        assert sorted(kinds) == ["employee", "student"]
        assert db.session.scalars(sa.select(Account.login).where(Account.person_id == anara.id)).all() == [
            "a.ulgubaeva"
        ]
    hr.deliver("dismissal_v1")
    assert hr.account().closes_at is None, "who still studies keeps the account"
    clock.moment = bishkek(12, 1)
    hr.work()
    closed = {
        row.system
        for row in hr.rows(sa.select(Link.system).join(Account).where(Account.login == "a.ulgubaeva", ~Link.active))
    }
    assert closed == {"e-kyzmat", "infodocs", "zoom"}, "and loses only what the employment carried"


def test_the_personal_number_decides_and_a_contradiction_is_for_a_human(hr: Hr) -> None:
    hired(hr)
    body = changed("dismissal_v1")
    body["persons"] = [{"line": "1", "ids": {"pin": "99999999990009", "employeeNo": "T-0101"}}]
    hr.send(body)
    hr.work()
    assert lines(hr, "1/140-К") == [("1", "ambiguous")]
    assert hr.account().closes_at is None


def test_rehiring_brings_the_old_account_back(hr: Hr, clock: SetClock) -> None:
    before = hired(hr)
    hr.deliver("dismissal_v1")
    clock.moment = datetime(2027, 2, 1, tzinfo=UTC)
    hr.work()
    hr.send(
        changed(
            "hire",
            orderId="00000000-0000-4000-8000-000000000002",
            number="1/7-К",
            approvedOn="2027-02-01",
            effectiveOn="2027-02-01",
        )
    )
    hr.work()
    account = hr.account()
    assert (account.id, account.sub, account.closes_at, account.closed_at) == (before.id, before.sub, None, None)


def test_namesakes_get_logins_of_their_own(hr: Hr) -> None:
    for number in range(1, 6):
        hr.send(hire_of(number))
        hr.work()
    logins = {row.login for row in hr.rows(sa.select(Account.login))}
    assert logins == {"a.ulgubaeva", "anara.ulgubaeva", "a.ulgubaeva2", "a.ulgubaeva3", "a.ulgubaeva4"}


def test_namesakes_hired_at_the_same_moment_get_different_logins_and_lose_no_record(hr: Hr) -> None:
    many = 8
    for number in range(1, many + 1):
        assert hr.send(hire_of(number)).status_code == 202
    start, service = Barrier(many), hr.app.extensions["achkych"]

    def apply(order_pk: Any) -> None:
        with hr.app.app_context():
            start.wait()
            with unit_of_work():
                apply_order(at_work(service, "worker"), db.session.get_one(Order, order_pk, with_for_update=True))

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(apply, [row.id for row in hr.rows(sa.select(Order.id))]))
    logins = [row.login for row in hr.rows(sa.select(Account.login))]
    assert len(set(logins)) == len(logins) == many
    assert sorted(record.login for record in hr.acts("account-opened")) == sorted(logins)
    assert len(hr.acts("order-state")) == len(hr.acts("person-changed")) == len(hr.acts("activation-issued")) == many


def test_one_person_in_two_orders_applied_at_once_is_one_person(hr: Hr) -> None:
    """Where the two meet, one is put off and finds the person on its next try; never are there two."""
    hr.send(sample("hire"))
    hr.send(sample("student_enrolment"))
    start, service = Barrier(2), hr.app.extensions["achkych"]

    def apply(order_pk: Any) -> bool:
        with hr.app.app_context():
            start.wait()
            try:
                with unit_of_work():
                    apply_order(at_work(service, "worker"), db.session.get_one(Order, order_pk, with_for_update=True))
            except sa.exc.IntegrityError:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert any(pool.map(apply, [row.id for row in hr.rows(sa.select(Order.id))]))
    hr.work()
    assert len(hr.rows(sa.select(Person.id))) == len(hr.rows(sa.select(Account.id))) == 2
    assert len(hr.rows(sa.select(AffiliationRow.id))) == 3


def test_guesses_at_a_login_before_it_existed_do_not_lock_its_owner_out(hr: Hr, clock: SetClock) -> None:
    with hr.app.app_context(), unit_of_work():
        db.session.add(Lockout(login="a.ulgubaeva", attempts=9, last_at=clock.now(), locked_at=clock.now()))
    hr.deliver("hire")
    assert hr.rows(sa.select(Lockout.login)) == []


def signed_in(hr: Hr, account: Account) -> str:
    with hr.app.app_context(), unit_of_work():
        here = at_work(hr.app.extensions["achkych"], "test")
        return start_session(here, db.session.get_one(Account, account.id))


def test_the_birth_date_and_number_are_sealed_and_open_only_in_their_place(hr: Hr) -> None:
    hr.deliver("hire")
    with hr.looking() as here:
        person = db.session.scalars(sa.select(Person)).one()
        assert person.birth_date is not None
        assert here.service.vault.open(person.birth_date, f"person/{person.id}/birth_date") == "1990-02-03"
        assert person.personal_number_print == here.service.vault.fingerprint(
            json.loads(sample("hire"))["persons"][0]["ids"]["pin"]
        )
