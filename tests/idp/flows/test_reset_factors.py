"""The factors of somebody who acts for others: two officers, within a day, and the person hears of it at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.change_factors import factors_of, new_recovery_codes
from idp.flows.here import Here
from idp.flows.refusal import Refusal
from idp.flows.report_misuse import report_misuse
from idp.flows.reset_factors import Reset, refuse_reset, reset_factors, waiting_resets
from idp.models import Account, AuditRecord, FactorReset, Message, Officer
from policies.permissions import Appointment, Who
from tests.builders import Make, Someone

HANDS = 20


def here_of(make: Make, who: Someone, role: str = "admin", department: str | None = None) -> Here:
    appointments = (Appointment(role, department, None, make.clock.now() - timedelta(days=1), None),)
    here = make.here().acting_as(f"account/{who.login}")
    return replace(here, who=Who(str(who.id), appointments))


def reset(make: Make, by: Someone, whom: Someone, reason: str = "passport") -> Reset | Refusal:
    with make.app.app_context(), unit_of_work():
        return reset_factors(here_of(make, by), db.session.get_one(Account, whom.id), reason)


def left(make: Make, whom: Someone) -> int:
    with make.app.app_context():
        return len(factors_of(whom.id))


def values(make: Make, statement: sa.Select[Any]) -> list[Any]:
    with make.app.app_context():
        return list(db.session.scalars(statement))


@pytest.fixture
def people(make: Make) -> tuple[Someone, Someone, Someone]:
    """Somebody with duties, and two administrators."""
    first, second = (make.officer(login, role="admin", department=None) for login in ("bakyt", "cholpon"))
    return make.officer("aida", role="hr", department=None), first, second


def test_one_asks_and_the_person_is_told_and_another_consents(
    make: Make, people: tuple[Someone, Someone, Someone]
) -> None:
    aida, first, second = people
    assert reset(make, first, aida) is Reset.ASKED
    assert values(make, sa.select(Message.template).where(Message.account_id == aida.id)) == ["factors_changed"]
    assert reset(make, first, aida) == Refusal("second-officer-needed")
    assert left(make, aida) == 1
    assert reset(make, second, aida) is Reset.DONE
    assert left(make, aida) == 0
    acts = values(
        make, sa.select(AuditRecord.act).where(AuditRecord.account_id == aida.id).order_by(AuditRecord.number)
    )
    assert [act for act in acts if act.startswith("factor")] == ["factor-reset-asked", "factors-reset"]


def test_of_twenty_consents_at_once_one_counts_and_of_twenty_requests_one_stands(
    make: Make, people: tuple[Someone, Someone, Someone]
) -> None:
    aida, first, second = people

    def at_once(by: Someone) -> Counter[object]:
        start = Barrier(HANDS)

        def hand(_: int) -> object:
            start.wait()
            outcome = reset(make, by, aida)
            return outcome.code if isinstance(outcome, Refusal) else outcome

        with ThreadPoolExecutor(HANDS) as pool:
            return Counter(pool.map(hand, range(HANDS)))

    assert at_once(first) == {Reset.ASKED: 1, "second-officer-needed": HANDS - 1}
    answers = at_once(second)
    assert answers == {Reset.DONE: 1, "no-factor": HANDS - 1}
    assert len(values(make, sa.select(AuditRecord.number).where(AuditRecord.act == "factors-reset"))) == 1


def test_a_request_lapses_after_a_day_and_is_asked_for_anew(
    make: Make, people: tuple[Someone, Someone, Someone], clock: SetClock
) -> None:
    aida, first, second = people
    reset(make, first, aida)
    clock.moment += timedelta(hours=24)
    assert reset(make, second, aida) is Reset.ASKED
    assert reset(make, first, aida) is Reset.DONE


def test_either_lets_it_fall_and_nobody_does_it_for_themselves(
    make: Make, people: tuple[Someone, Someone, Someone]
) -> None:
    aida, first, second = people
    with pytest.raises(Forbidden):
        reset(make, aida, aida)
    for by in (first, second):
        reset(make, first, aida)
        [open_one] = values(make, sa.select(FactorReset.id).where(FactorReset.settled_at.is_(None)))
        with make.app.app_context(), unit_of_work():
            shown = waiting_resets(here_of(make, by))
            assert [(one["login"], one["own"]) for one in shown] == [("aida", by is first)]
            assert waiting_resets(here_of(make, aida, "officer", "0112")) == []
            assert refuse_reset(here_of(make, by), open_one) is None
            assert refuse_reset(here_of(make, by), open_one) == Refusal("gone")
    assert reset(make, second, aida) is Reset.ASKED


def test_a_report_of_misuse_stops_it_and_so_does_any_change_of_the_factors(
    make: Make, people: tuple[Someone, Someone, Someone]
) -> None:
    aida, first, second = people
    reset(make, first, aida)
    with make.app.app_context(), unit_of_work():
        new_recovery_codes(make.here(), db.session.get_one(Account, aida.id))
    assert reset(make, second, aida) is Reset.ASKED, "what was asked of the factors of before counts no more"
    with make.app.app_context(), unit_of_work():
        report_misuse(make.here(), db.session.get_one(Account, aida.id), "mail")
    assert reset(make, first, aida) == Refusal("case-open")
    assert left(make, aida) == 1


def test_the_word_of_an_officer_whose_duties_have_ended_is_none_of_the_two(
    make: Make, people: tuple[Someone, Someone, Someone]
) -> None:
    aida, first, second = people
    reset(make, first, aida)
    with make.app.app_context(), unit_of_work():
        db.session.execute(sa.update(Officer).where(Officer.account_id == first.id).values(until=make.clock.now()))
    assert reset(make, second, aida) is Reset.ASKED
    assert left(make, aida) == 1


def test_who_acts_for_nobody_needs_one_officer(make: Make) -> None:
    bermet = make.account("bermet")
    make.enrol(bermet)
    assert reset(make, make.officer("bakyt", role="admin", department=None), bermet) is Reset.DONE
