"""How Alembic reaches the database: one connection, one transaction for all revisions."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import idp.models  # noqa: F401  # fills the metadata
from idp.db import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Revisions speak plain SQLAlchemy, so that they do not change with our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return "JSON"
    return False


def let_tables_be_rebuilt(connection: sa.Connection) -> None:
    """SQLite changes a column by rebuilding its table, which must not touch the rows that point there; it takes the
    word only outside a transaction.  What is then written is checked before the commit."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection
        raw.execute("PRAGMA foreign_keys=OFF")


def check_references(connection: sa.Connection) -> None:
    """Fail, and roll back, when a revision left a row that points nowhere."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"rows that point nowhere: {broken[:5]}")


engine = sa.create_engine(context.config.attributes["database_url"], poolclass=sa.pool.NullPool)
with engine.connect() as connection:
    let_tables_be_rebuilt(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        check_references(connection)
