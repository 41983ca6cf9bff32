"""What the service relies on in both databases: moments, the length of a wait, one transaction."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.db import db, reader, unit_of_work
from idp.models import Lockout
from tests.builders import Make


def put(app: Flask, moment: datetime, login: str = "x") -> None:
    with app.app_context(), unit_of_work():
        db.session.add(Lockout(login=login, attempts=0, last_at=moment))


def test_a_moment_comes_back_as_it_was_in_utc(app: Flask) -> None:
    put(app, datetime(2026, 9, 9, 0, 30, 0, 123456, tzinfo=timezone(timedelta(hours=6))))
    with app.app_context():
        found = db.session.scalars(sa.select(Lockout.last_at)).one()
        db.session.remove()
    assert found == datetime(2026, 9, 8, 18, 30, 0, 123456, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        put(app, datetime(2026, 9, 9))  # what is refused


def test_moments_of_all_zones_compare_by_the_moment(app: Flask) -> None:
    put(app, datetime(2026, 9, 9, 5, tzinfo=timezone(timedelta(hours=6))))
    with app.app_context(), reader().connect() as connection:
        later = sa.select(sa.func.count()).where(Lockout.last_at < datetime(2026, 9, 9, 0, tzinfo=UTC))
        assert connection.execute(later).scalar() == 1


def test_a_unit_of_work_that_fails_leaves_nothing(app: Flask, make: Make) -> None:
    with app.app_context(), suppress(ZeroDivisionError), unit_of_work():
        db.session.add(Lockout(login="x", attempts=0, last_at=make.clock.now()))
        db.session.flush()
        raise ZeroDivisionError
    with app.app_context(), reader().connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Lockout)).scalar() == 0


def test_transactions_that_read_and_then_write_do_not_lose_each_others_writes(app: Flask, make: Make) -> None:
    """SQLite takes the write lock when a transaction begins; PostgreSQL is asked to lock the row."""
    put(app, make.clock.now())
    start = Barrier(10)

    def count(_: int) -> None:
        start.wait()
        with app.app_context(), unit_of_work():
            row = db.session.get_one(Lockout, ("x", ""), with_for_update=True)
            row.attempts += 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(count, range(10)))
    with app.app_context(), reader().connect() as connection:
        assert connection.execute(sa.select(Lockout.attempts)).scalar() == 10


def test_reading_goes_on_while_somebody_writes(app: Flask, make: Make) -> None:
    with app.app_context():
        db.session.add(Lockout(login="x", attempts=0, last_at=make.clock.now()))
        db.session.flush()
        with reader().connect() as connection:
            assert connection.execute(sa.select(sa.func.count()).select_from(Lockout)).scalar() == 0
        db.session.rollback()
        db.session.remove()


def test_nobody_waits_for_a_lock_without_end(app: Flask, make: Make) -> None:
    with app.app_context(), db.engine.connect() as connection:
        setting = "SHOW lock_timeout" if db.engine.dialect.name == "postgresql" else "PRAGMA busy_timeout"
        assert connection.exec_driver_sql(setting).scalar() in {"15s", 15000}


def test_references_are_checked(app: Flask) -> None:
    with app.app_context(), pytest.raises(sa.exc.IntegrityError), unit_of_work():
        db.session.execute(sa.text("INSERT INTO department (code, names, parent) VALUES ('x', '{}', 'nowhere')"))
