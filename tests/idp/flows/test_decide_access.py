"""Officers give one account a system beyond the rules, or forbid it one, and the systems follow (3.1, 6.7)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.decide_access import decide_access, lift_decision
from idp.flows.refusal import Refusal
from idp.flows.what_if import Difference, what_if
from idp.flows.why_no_access import why_no_access
from idp.models import AccessDecision, Account, Link, Message, Task
from idp.oauth.standing import has_access
from policies.access_decisions import Decision
from policies.denial import Reason
from policies.permissions import Appointment, Who
from tests.builders import Make
from tests.idp.hr import Hr

SOMEBODY = UUID(int=7)
MOODLE = Decision("moodle", None, False, date(2026, 9, 10), None)  # forbidden
FINANCE = Decision("1c", "1c.hr", True, date(2026, 9, 10), date(2026, 9, 30))  # given


@pytest.fixture
def hr(hr: Hr, clock: SetClock) -> Hr:
    """A lecturer at work, with everything done in the systems."""
    clock.moment = datetime(2026, 9, 10, 4, tzinfo=UTC)
    hr.deliver("hire")
    hr.finish_tasks()
    return hr


class Officer:
    """Decides, each time in a transaction of its own."""

    def __init__(self, make: Make, hr: Hr) -> None:
        self.make, self.hr = make, hr

    @contextmanager
    def _acting(
        self, department: str | None = "0407", system: str | None = None, me: UUID = SOMEBODY
    ) -> Iterator[tuple[Any, Account]]:
        since = self.make.clock.now() - timedelta(days=1)
        who = Who(str(me), (Appointment("officer", department, system, since, None),))
        with self.make.app.app_context(), unit_of_work():
            here = replace(self.make.here(), actor="account/bakyt", who=who)
            yield here, db.session.scalars(sa.select(Account)).one()

    def decide(self, asked: Decision, reason: str = "a breach", document: str = "", **who: Any) -> Refusal | None:
        with self._acting(**who) as (here, account):
            return decide_access(here, account, asked, reason, document)

    def lift(self, reason: str = "settled", **who: Any) -> Refusal | None:
        with self._acting(**who) as (here, account):
            row = db.session.scalars(sa.select(AccessDecision).order_by(AccessDecision.decided_at.desc())).first()
            assert row is not None
            return lift_decision(here, account, row, reason)


@pytest.fixture
def officer(make: Make, hr: Hr) -> Officer:
    return Officer(make, hr)


def active(hr: Hr, system: str) -> bool:
    rows = hr.rows(sa.select(Link.active).where(Link.system == system))
    return bool(rows) and bool(rows[0].active)


def reason_at(hr: Hr, make: Make, system: str) -> tuple[bool, Reason]:
    with hr.looking():
        account = db.session.scalars(sa.select(Account)).one().id
        return has_access(account, system), why_no_access(make.here(), account, system)


def mails(hr: Hr) -> list[str]:
    told = sa.select(Message.template).where(Message.template.startswith("access-")).order_by(Message.created_at)
    return [row.template for row in hr.rows(told)]


def test_what_is_forbidden_is_closed_at_once_and_comes_back_when_it_is_lifted(
    hr: Hr, make: Make, officer: Officer, clock: SetClock
) -> None:
    assert officer.decide(MOODLE, document="act 4") is None
    assert reason_at(hr, make, "moodle") == (False, Reason.FORBIDDEN)
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.priority, task.due_on) == ("moodle", "close", 0, date(2026, 9, 15))
    (act,) = hr.acts("access-forbidden")
    assert act.subject == "system/moodle" and act.after is not None
    assert (act.after["reason"], act.after["document"], act.actor) == ("a breach", "act 4", "account/bakyt")

    clock.moment += timedelta(days=1)
    assert officer.lift() is None
    assert reason_at(hr, make, "moodle")[0]
    # the deadline counts from today, not from the hire
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.due_on) == ("moodle", "open", date(2026, 9, 16))
    (act,) = hr.acts("access-allowed-again")
    assert act.before is not None and act.before["reason"] == "a breach" and act.after == {"reason": "settled"}
    assert mails(hr) == ["access-forbidden", "access-allowed"]
    assert officer.lift() == Refusal("gone")


def test_a_prohibition_until_a_day_runs_out_by_itself(hr: Hr, officer: Officer, clock: SetClock) -> None:
    assert officer.decide(replace(MOODLE, ends_on=date(2026, 9, 20))) is None
    hr.finish_tasks()
    clock.moment = datetime(2026, 9, 20, 17, 59, tzinfo=UTC)
    hr.work()
    assert not active(hr, "moodle")
    clock.moment = datetime(2026, 9, 20, 18, tzinfo=UTC)  # midnight in Bishkek
    hr.work()
    assert active(hr, "moodle") and hr.tasks()["moodle"].due_on == date(2026, 9, 24)


def test_what_is_given_begins_and_ends_by_itself(hr: Hr, officer: Officer, clock: SetClock) -> None:
    later = replace(FINANCE, starts_on=date(2026, 9, 14))
    assert officer.decide(later, "replaces a colleague", "application 12") is None
    assert not active(hr, "1c") and hr.tasks() == {}
    clock.moment = datetime(2026, 9, 13, 18, tzinfo=UTC)
    hr.work()
    (task,) = hr.tasks().values()
    assert (task.system, task.action, task.due_on) == ("1c", "open", date(2026, 9, 17))
    assert task.changes["programs"] == [None, ["1c.hr"]]
    hr.finish_tasks()
    clock.moment = datetime(2026, 9, 30, 18, tzinfo=UTC)
    hr.work()
    (task,) = hr.tasks().values()
    assert (task.system, task.action) == ("1c", "close")
    assert mails(hr) == []


def test_a_transfer_withdraws_what_was_given_for_the_former_post_and_forbidden_stays_forbidden(
    hr: Hr, officer: Officer, clock: SetClock
) -> None:
    assert officer.decide(replace(FINANCE, ends_on=date(2026, 12, 31))) is None
    assert officer.decide(MOODLE) is None
    assert active(hr, "1c") and not active(hr, "moodle")
    hr.deliver("transfer")
    clock.moment = datetime(2026, 9, 30, 18, tzinfo=UTC)
    hr.work()
    assert not active(hr, "1c") and not active(hr, "moodle")


def test_what_is_given_is_taken_back_before_its_end(hr: Hr, officer: Officer) -> None:
    assert officer.decide(FINANCE) is None
    assert officer.lift() is None
    assert not active(hr, "1c")
    assert len(hr.acts("access-given", "given-access-taken-back")) == 2
    assert mails(hr) == []


@pytest.mark.parametrize(
    ("asked", "reason", "code"),
    [
        (replace(MOODLE, system="nothing"), "a breach", "system-required"),
        (replace(MOODLE, program="1c.hr"), "a breach", "system-required"),
        (MOODLE, "  ", "decision-reason-required"),
        (replace(FINANCE, ends_on=None), "a breach", "given-end-required"),
        (replace(FINANCE, starts_on=date(2026, 9, 9)), "a breach", "decision-days-wrong"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_changes_nothing(
    hr: Hr, officer: Officer, asked: Decision, reason: str, code: str
) -> None:
    assert officer.decide(asked, reason) == Refusal(code)
    assert hr.rows(sa.select(AccessDecision.id)) == [] and hr.tasks() == {}


def test_only_an_officer_of_the_department_and_the_system_decides_and_never_for_themselves(
    hr: Hr, officer: Officer
) -> None:
    (mine,) = hr.rows(sa.select(Account.id))
    for who in ({"department": "0112"}, {"system": "mail"}, {"me": mine.id}):
        with pytest.raises(Forbidden):
            officer.decide(MOODLE, **who)
    assert officer.decide(MOODLE, system="moodle") is None
    with pytest.raises(Forbidden):
        officer.lift(system="mail")
    assert officer.lift("  ") == Refusal("decision-reason-required")


def test_whom_no_order_names_keeps_the_account_as_it_is(make: Make, hr: Hr, officer: Officer) -> None:
    with make.app.app_context(), unit_of_work():
        db.session.execute(sa.delete(Task))
    someone = make.account("aida")
    since = make.clock.now() - timedelta(days=1)
    who = Who(str(SOMEBODY), (Appointment("admin", None, None, since, None),))
    with make.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        outcome = decide_access(replace(make.here(), who=who), account, MOODLE, "a breach", "")
        assert outcome == Refusal("no-order") and account.open_at(make.clock.now())


def test_of_several_at_once_one_decides(hr: Hr, officer: Officer) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: officer.decide(MOODLE), range(4)))
    assert sorted(answer.code if answer else "" for answer in answers) == ["", *["decided-already"] * 3]
    assert len(hr.rows(sa.select(AccessDecision.id))) == 1


def test_what_officers_decided_counts_in_what_other_rules_would_change(hr: Hr, make: Make, officer: Officer) -> None:
    assert officer.decide(MOODLE) is None
    assert officer.decide(FINANCE) is None
    profile = make.service.profile
    lost = {"moodle": frozenset({"0112"}), "1c": frozenset({"0112"}), "library": frozenset({"0112"})}
    systems = tuple(replace(one, departments=lost.get(one.code, one.departments)) for one in profile.systems)
    with make.app.app_context(), unit_of_work():
        found, _ = what_if(make.here(), replace(profile, systems=systems), None, 10)
    # the forbidden one can't be lost, the given one does not hang on the rules
    assert found == [Difference(found[0].login, frozenset(), frozenset({"library"}))]
