"""Codes and tokens that work once: spending one and storing what replaces it, at once (RFC 9700, 4.5, 4.14)."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.models import AuthorizationCode, DeviceCode, RefreshToken
from idp.prepared import Prepared

OneUse = type[AuthorizationCode] | type[RefreshToken] | type[DeviceCode]
TOKENS: Any = RefreshToken.__table__  # an ORM insert costs half a millisecond more, and every client passes here
COLUMNS = ("id", "grant_id", "token_digest", "jkt", "authenticated_at", "issued_at", "expires_at")
STORE = Prepared.insert(RefreshToken, "used_at")


def spend(kind: OneUse, row_id: UUID, now: datetime, successor: dict[str, Any] | None = None) -> bool:
    """Mark a row as used and store the refresh token that comes of it; False when another request was faster.

    One statement on PostgreSQL; one short transaction on SQLite, which knows no update inside an insert.
    """
    values: dict[str, Any] = {"spent_id": row_id, "spent_at": now}
    if successor is None:
        return _spending(kind).first(**values) is not None
    if db.engine.dialect.name == "postgresql":
        return _spending_and_storing(kind).first(**values, **_named(successor)) is not None
    with db.engine.begin() as connection:
        spent = _spending(kind).first(connection, **values) is not None
        if spent:
            STORE.all(connection, **successor)
    return spent


@cache
def _spending(kind: OneUse) -> Prepared:
    return Prepared(_spent(kind))


def _spent(kind: OneUse) -> Any:
    table: Any = kind.__table__
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam("spent_id"), table.c.used_at.is_(None))
        .values(used_at=sa.bindparam("spent_at"))
        .returning(table.c.id)
    )


@cache
def _spending_and_storing(kind: OneUse) -> Prepared:
    spent = _spent(kind).cte("spent")
    values = [sa.bindparam(f"new_{name}", type_=TOKENS.c[name].type).label(name) for name in COLUMNS]
    stored = sa.insert(TOKENS).from_select(COLUMNS, sa.select(*values).select_from(spent))
    return Prepared(stored.returning(TOKENS.c.id))


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Apart from the columns of what is spent: a parameter named like a column would be written to it."""
    return {f"new_{name}": value for name, value in row.items()}
