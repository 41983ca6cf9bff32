"""The database: one SQLAlchemy object, column types and how a transaction begins.  Imports nothing of ours.

SQLite runs in WAL mode and every unit of work takes the write lock when it begins: a transaction that has read
can then always write, and never fails halfway because another one wrote in between.  Single reads on hot paths
go through `reader()`, which takes no lock at all.
"""

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, orm
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine
from uuid_utils.compat import uuid7

Json = sa.JSON().with_variant(JSONB, "postgresql")


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment.  Takes only aware datetimes, stores UTC, gives UTC back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables.  Constraint names follow one convention so that migrations can name them."""

    registry = orm.registry(
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: UtcDateTime(),
            dict[str, Any]: Json,
            list[str]: Json,
            list[Any]: Json,
            uuid.UUID: sa.Uuid(),
        },
    )


class Identified:
    """Rows named by a UUIDv7: unique everywhere, and in the order of their making."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)


class gathered(GenericFunction[list[Any]]):  # named as SQL has functions
    """All values of a column as one list, None where there are none."""

    type = cast(TypeEngine[list[Any]], Json)
    inherit_cache = True


@compiles(gathered, "sqlite")
def _gathered_sqlite(element: gathered, compiler: Any, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(gathered, "postgresql")
def _gathered_postgresql(element: gathered, compiler: Any, **options: Any) -> str:
    return f"json_agg({compiler.process(element.clauses, **options)})"


db = SQLAlchemy(model_class=Base)


INSERTS: Mapping[str, Callable[[Any], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert(table: Any) -> Any:
    """A new row of a table or model in the words of the database in use, which may be told what to do on a conflict."""
    return INSERTS[db.engine.dialect.name](table)


def reader() -> Engine:
    """The engine for single statements that need no transaction."""
    return _reading(db.engine)


@lru_cache(maxsize=4)  # making one costs more than a read; a process has one database
def _reading(engine: Engine) -> Engine:
    """SQLite has no transaction until `_begin_sqlite` begins one.  On PostgreSQL connections of their own, that never
    begin one: to switch one over and back again takes as long as to read."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(reading=True)
    apart = sa.create_engine(
        engine.url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        pool_size=engine.pool.size(),  # type: ignore[attr-defined]  # of a QueuePool
        hide_parameters=engine.hide_parameters,
    )
    event.listen(engine, "engine_disposed", lambda _: apart.dispose())
    return apart


@contextmanager
def unit_of_work() -> Iterator[None]:
    """One transaction outside a request: committed at the end, rolled back when anything goes wrong."""
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.remove()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # transactions begin where we say so, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Nobody waits for a lock longer than that: an error is better than a page that never answers."""
    if not isinstance(connection, psycopg.Connection):
        return
    connection.autocommit = True
    connection.execute("SET lock_timeout = '15s'")
    connection.autocommit = False


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite" or connection.get_execution_options().get("reading"):
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")
