"""Storing a grant, only while what it rests on holds: the open session (5.6), and the consent where one is needed.

Whoever ends the one or withdraws the other at the same moment either keeps the grant from being made, or finds it and
revokes it.
"""

from typing import Any, cast

import sqlalchemy as sa

from idp.models import Consent, Grant, Session
from idp.prepared import Prepared

# on the table itself: an ORM insert costs half a millisecond more, and every sign-in passes here
GRANTS = cast(sa.Table, Grant.__table__)
COLUMNS = [
    "id", "account_id", "client_id", "session_id", "scope", "claims", "resources", "authorization_details",
    "granted_at",
]  # fmt: skip
OPEN_SESSION = (  # locked on PostgreSQL, like the consent: its end waits for this transaction; SQLite has one writer
    sa.select(*(sa.bindparam(name, type_=GRANTS.c[name].type).label(name) for name in COLUMNS))
    .select_from(Session)
    .where(Session.id == sa.bindparam("session_id"), Session.ended_at.is_(None))
    .with_for_update(read=True)
)
AGREED = OPEN_SESSION.join_from(
    Session,
    Consent,
    sa.and_(
        Consent.account_id == sa.bindparam("account_id"),
        Consent.client_id == sa.bindparam("client_id"),
        Consent.withdrawn_at.is_(None),
    ),
)
STORE = Prepared(sa.insert(GRANTS).from_select(COLUMNS, OPEN_SESSION).returning(GRANTS.c.id))
STORE_AGREED = Prepared(sa.insert(GRANTS).from_select(COLUMNS, AGREED).returning(GRANTS.c.id))


def store_grant(connection: sa.Connection, grant: dict[str, Any], by_consent: bool = False) -> bool:
    """Store a grant; what `grant` leaves out is null.

    False, and nothing stored, when its session has ended, or the consent it rests on (`by_consent`) was withdrawn.
    """
    statement = STORE_AGREED if by_consent else STORE
    return statement.first(connection, **dict.fromkeys(COLUMNS) | grant) is not None
