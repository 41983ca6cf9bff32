"""Statements on the driver itself say what SQLAlchemy would: same values, same errors, same transactions."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError, IntegrityError
from uuid_utils.compat import uuid7

from idp.db import db, reader
from idp.models import AuthorizationCode, Client, Link, Lockout, Session
from idp.prepared import Prepared
from tests.builders import Make

NOW = datetime(2026, 9, 1, 12, 30, 15, 123456, tzinfo=UTC)
KEEP = Prepared.insert(Lockout)
FIND = Prepared(sa.select(Lockout).where(Lockout.login == sa.bindparam("entered")))
ROW = {"login": "aida", "device": "", "attempts": 1, "last_at": NOW, "locked_at": None, "last_print": None}


def test_rows_are_what_sqlalchemy_reads(make: Make, app: Flask) -> None:
    aida = make.account()
    with app.app_context():
        for model in (Session, Link, Client, AuthorizationCode):
            statement = sa.select(model.__table__)
            with reader().connect() as connection:
                usual = connection.execute(statement).all()
            assert [tuple(row) for row in Prepared(statement).all()] == [tuple(row) for row in usual]
        found = Prepared(sa.select(Link.active, Link.account_id, Link.attributes)).first()
        assert (found.active, found.account_id) == (True, aida.id)
        assert isinstance(found.attributes, dict)


def test_what_is_written_is_read_again(app: Flask) -> None:
    with app.app_context():
        KEEP.all(**ROW)
        assert FIND.first(entered="aida")._asdict() == ROW
        assert FIND.first(entered="nobody") is None


def test_inside_a_transaction_it_shares_the_end_of_it(app: Flask) -> None:
    with app.app_context():
        with db.engine.begin() as connection:
            KEEP.all(connection, **ROW)
            assert FIND.first(connection, entered="aida") is not None
            connection.rollback()
        assert FIND.first(entered="aida") is None


def test_a_statement_that_fails_says_so_without_its_values(app: Flask) -> None:
    with app.app_context():
        KEEP.all(**ROW)
        with pytest.raises(IntegrityError) as error:
            KEEP.all(**ROW | {"attempts": 20260901})
        assert "20260901" not in str(error.value)
        assert FIND.first(entered="aida").attempts == 1


def test_after_a_failure_the_next_one_gets_another_connection(app: Flask) -> None:
    broken = Prepared(sa.select(sa.literal_column("nothing_of_that_name")).select_from(Lockout))
    with app.app_context():
        for _ in range(30):  # more than the pool has
            with pytest.raises(DBAPIError):
                broken.first()
        KEEP.all(**ROW)


def test_one_name_twice_is_told_apart_by_place(make: Make, app: Flask) -> None:
    make.account()
    both = Prepared(sa.select(Link.id, Session.id).select_from(Link).join(Session, isouter=True, onclause=sa.true()))
    with app.app_context():
        row = both.first()
    assert (type(row[0]), row[1]) == (type(uuid7()), None)
