"""Storing a grant, only while the session it comes from is open (5.6).

Whoever ends the session at the same moment either keeps the grant from being made, or finds it and revokes it.
"""

from typing import Any, cast

import sqlalchemy as sa

from idp.models import Grant, Session

# on the table itself: an ORM insert costs half a millisecond more, and every sign-in passes here
GRANTS = cast(sa.Table, Grant.__table__)
COLUMNS = [
    "id", "account_id", "client_id", "session_id", "scope", "claims", "resources", "authorization_details",
    "granted_at",
]  # fmt: skip
OPEN_SESSION = (  # locked on PostgreSQL: its end waits for this transaction; on SQLite there is one writer
    sa.select(*(sa.bindparam(name, type_=GRANTS.c[name].type).label(name) for name in COLUMNS))
    .select_from(Session)
    .where(Session.id == sa.bindparam("session_id"), Session.ended_at.is_(None))
    .with_for_update(read=True)
)
STORE = sa.insert(GRANTS).from_select(COLUMNS, OPEN_SESSION).returning(GRANTS.c.id)


def store_grant(connection: sa.Connection, grant: dict[str, Any]) -> bool:
    """Store a grant; what `grant` leaves out is null.  False when its session has ended: then nothing is stored."""
    return connection.execute(STORE, dict.fromkeys(COLUMNS) | grant).first() is not None
