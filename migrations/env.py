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


engine = sa.create_engine(context.config.attributes["database_url"], poolclass=sa.pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
