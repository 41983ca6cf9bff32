"""Statements that every sign-in and every token passes: written in SQLAlchemy Core, run on the driver itself.

Owns how such a statement is compiled, once for each kind of database, and how its values go in and come out.  It costs a
third of what `Connection.execute` does (docs/bench.md).  All else takes SQLAlchemy's own way.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from idp.db import Base, reader

Convert = Callable[[Any], Any]


class Compiled(NamedTuple):
    """A statement in the words of one database; `places` has the names of positional parameters, in their order."""

    text: str
    places: tuple[str, ...] | None
    fixed: Mapping[str, Any]
    binds: tuple[tuple[str, Convert], ...]
    results: tuple[tuple[int, Convert], ...]
    row: Callable[..., Any]


class Prepared:
    """A statement with named parameters and named results.

    Without `on` it is a single statement on a connection of its own, without a transaction (`idp.db.reader`); with
    `on`, the next one of that connection's transaction.  Raises `sqlalchemy.exc.DBAPIError`.
    """

    def __init__(
        self, statement: sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]] | sa.UpdateBase
    ) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    @classmethod
    def insert(cls, model: type[Base], *left_out: str) -> Self:
        """A new row of `model`, its values named like the columns; those `left_out` are null."""
        table = cast(sa.Table, model.__table__)
        names = [column.name for column in table.columns if column.name not in left_out]
        return cls(sa.insert(table).values({name: sa.bindparam(name) for name in names}))

    def all(self, on: Connection | None = None, **values: Any) -> list[Any]:
        """Every row, by position and by name."""
        if on is not None:
            return self._run(on.dialect, on.connection.driver_connection, values)
        engine = reader()
        connection = engine.raw_connection()
        try:
            return self._run(engine.dialect, connection.driver_connection, values)
        except BaseException:
            connection.invalidate()  # nobody knows what state it is in
            raise
        finally:
            connection.close()

    def first(self, on: Connection | None = None, **values: Any) -> Any:
        """The first row, or None."""
        rows = self.all(on, **values)
        return rows[0] if rows else None

    def _run(self, dialect: Dialect, connection: Any, values: Mapping[str, Any]) -> list[Any]:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._statement, dialect)
        given = {**compiled.fixed, **values}
        for name, convert in compiled.binds:
            given[name] = convert(given[name])
        arguments = given if compiled.places is None else [given[name] for name in compiled.places]
        try:
            cursor = connection.execute(compiled.text, arguments)
            rows = cursor.fetchall() if cursor.description else []
        except dialect.loaded_dbapi.Error as error:
            raise _told(error, compiled.text, dialect) from error
        return [_converted(compiled, row) for row in rows]


def _converted(compiled: Compiled, row: Any) -> Any:
    if not compiled.results:
        return compiled.row(*row)
    cells = list(row)
    for place, convert in compiled.results:
        cells[place] = convert(cells[place])
    return compiled.row(*cells)


def _compile(statement: Any, dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    names = {bind.key: bind.type for bind in compiled.binds.values()}
    binds = ((name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in names.items())
    columns = statement.exported_columns
    results = (kind.type.dialect_impl(dialect).result_processor(dialect, None) for kind in columns)
    return Compiled(
        text=compiled.string,
        places=tuple(compiled.positiontup) if compiled.positional else None,
        fixed={name: value for name, value in compiled.params.items() if value is not None},
        binds=tuple((name, convert) for name, convert in binds if convert),
        results=tuple((place, convert) for place, convert in enumerate(results) if convert),
        row=namedtuple("Row", columns.keys(), rename=True),  # its names are known only now
    )


def _told(error: Exception, text: str, dialect: Dialect) -> BaseException:
    """The error as SQLAlchemy has it, without the values, which may be personal data."""
    return sa.exc.DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )
