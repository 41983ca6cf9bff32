"""Many locks within a short time are told to the security officer, once in a while and not once a lock (5.7)."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Lockout, Message
from tests.builders import Make
from tests.idp.flows.test_sign_in import attempt
from tests.idp.lock_notices import tell_locks

LOGINS = [f"person{number}" for number in range(12)]


def lock(make: Make, login: str) -> str:
    said = [attempt(make, login) for _ in range(4)][-1]
    tell_locks(make)
    return said


def told(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        mails = sa.select(Message.to, Message.template).where(Message.template == "many-locks").order_by(Message.id)
        found = [tuple(row) for row in db.session.execute(mails)]
        db.session.remove()
    return found  # type: ignore[return-value]


def test_the_tenth_lock_is_told_to_every_security_officer_and_the_eleventh_is_not(make: Make, app: Flask) -> None:
    make.officer("guard", role="security", department=None)
    make.officer("guard2", role="security", department=None)
    make.officer("bakyt", role="admin", department=None)
    for login in LOGINS[:9]:
        assert lock(make, login) == "locked"
    assert told(app) == []
    for login in LOGINS[9:]:
        lock(make, login)
    assert told(app) == [("guard@example.org", "many-locks"), ("guard2@example.org", "many-locks")]
    with app.app_context():
        [after] = db.session.scalars(sa.select(AuditRecord.after).where(AuditRecord.act == "many-locks"))
    assert after == {"locks": 10, "told": 2}


def test_without_a_security_officer_the_administrators_are_told(make: Make, app: Flask) -> None:
    make.officer("bakyt", role="admin", department=None)
    for login in LOGINS[:10]:
        lock(make, login)
    assert told(app) == [("bakyt@example.org", "many-locks")]


def test_locks_over_a_long_time_are_no_alarm(make: Make, app: Flask, clock: SetClock) -> None:
    make.officer("guard", role="security", department=None)
    for login in LOGINS:
        lock(make, login)
        clock.advance(minutes=2)
    assert told(app) == []


def test_of_many_locks_at_the_same_moment_each_holds_and_one_mail_is_sent(make: Make, app: Flask) -> None:
    make.officer("guard", role="security", department=None)
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(lambda login: lock(make, login), LOGINS)) == {"locked"}
    assert told(app) == [("guard@example.org", "many-locks")]
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).where(Lockout.locked_at.is_not(None))) == len(LOGINS)
