"""Officers hear of what is due, ООЦИ of what was left: one mail each, on working days (3.5, 3.7)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.remind import remind
from idp.models import Account, AuditRecord, Message, Task
from tests.builders import Make
from tests.idp.hr import Hr, hire_of
from tests.idp.recovery import texts

WEDNESDAY, FRIDAY, SATURDAY, MONDAY, TUESDAY = (datetime(2026, 9, day, 3, tzinfo=UTC) for day in (2, 4, 5, 7, 8))
OFFICER, OOCI = "bakyt@kstu.kg", "asel@kstu.kg"


@pytest.fixture
def hr(app: Flask, make: Make, clock: SetClock) -> Hr:
    """Three officers, and two people hired whose systems officers keep."""
    clock.moment = WEDNESDAY
    for login, role, department in (
        ("bakyt", "officer", "0407"),
        ("elnura", "officer", "0112"),
        ("asel", "admin", None),
    ):
        make.officer(login, role, department)
    found = Hr(app, clock)
    for number in (1, 2):
        assert found.send(hire_of(number)).status_code == 202
    found.work()
    return found


def told(make: Make) -> list[str]:
    with make.app.app_context():
        found = db.session.scalars(sa.select(Message.to).where(Message.template == "digest")).all()
        db.session.remove()
    return sorted(found)


def reminded(make: Make, moment: datetime) -> list[str]:
    """To whom, when it is looked at this moment."""
    make.clock.moment = moment
    with make.app.app_context():
        before = set(db.session.scalars(sa.select(Message.id)))
        db.session.rollback()
        db.session.remove()
        with unit_of_work():
            remind(make.here())
        found = db.session.execute(sa.select(Message.id, Message.to).where(Message.template == "digest")).all()
        db.session.remove()
    return sorted(row.to for row in found if row.id not in before)


def test_the_officer_is_told_on_the_last_day_and_ooci_after_one_working_day_more(make: Make, hr: Hr) -> None:
    assert reminded(make, WEDNESDAY) == []
    assert reminded(make, FRIDAY) == [OFFICER]
    assert reminded(make, SATURDAY) == []
    assert reminded(make, MONDAY) == [OFFICER]
    assert reminded(make, TUESDAY) == [OOCI, OFFICER]


def test_once_a_day_however_many_look(make: Make, hr: Hr) -> None:
    make.clock.moment = FRIDAY

    def look(_: int) -> None:
        with make.app.app_context(), suppress(IntegrityError), unit_of_work():
            remind(make.here())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    assert reminded(make, FRIDAY) == []
    assert told(make) == [OFFICER]
    assert reminded(make, FRIDAY.replace(hour=9)) == []


def test_the_numbers_are_those_of_the_desk(make: Make, hr: Hr) -> None:
    with make.app.app_context():
        db.session.execute(sa.update(Account).values(language="en"))
        db.session.commit()
        tasks = db.session.scalar(sa.select(sa.func.count(Task.id)).where(Task.status == "manual")) or 0
        db.session.remove()
    reminded(make, TUESDAY)
    mails = [text for text in texts(make) if "/desk" in text]
    assert len(mails) == 2
    assert [sum(said in text for text in mails) for said in (f"overdue: {tasks}", f"left {tasks} tasks")] == [1, 1]


def test_who_has_nothing_due_hears_nothing_and_the_trail_says_how_many_did(make: Make, hr: Hr, app: Flask) -> None:
    with app.app_context(), unit_of_work():
        db.session.execute(sa.update(Task).values(status="done", done_at=make.clock.now()))
    assert reminded(make, TUESDAY) == []
    with app.app_context():
        assert db.session.scalars(sa.select(AuditRecord.act).where(AuditRecord.act == "reminded")).all() == []
