"""Storing a grant and its code, only while what they rest on holds: the open session (5.6), the consent where one is
needed.

Whoever ends the one or withdraws the other at the same moment either keeps the grant from being made, or finds it and
revokes it.
"""

from typing import Any, cast

import sqlalchemy as sa

from idp.models import AuthorizationCode, Consent, Grant, Session
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
CODES = cast(sa.Table, AuthorizationCode.__table__)
CODE_COLUMNS = [column.name for column in CODES.columns if column.name != "used_at"]


def _storing(where: sa.Select[*tuple[Any, ...]]) -> Any:
    return sa.insert(GRANTS).from_select(COLUMNS, where).returning(GRANTS.c.id)


def _storing_both(where: sa.Select[*tuple[Any, ...]]) -> Any:
    """The grant and its code at once: PostgreSQL takes both in one statement."""
    values = (sa.bindparam(f"code_{name}", type_=CODES.c[name].type).label(name) for name in CODE_COLUMNS)
    code = sa.select(*values).select_from(_storing(where).cte("stored"))
    return sa.insert(CODES).from_select(CODE_COLUMNS, code).returning(CODES.c.id)


STORE = {False: Prepared(_storing(OPEN_SESSION)), True: Prepared(_storing(AGREED))}  # by consent
STORE_BOTH = {False: Prepared(_storing_both(OPEN_SESSION)), True: Prepared(_storing_both(AGREED))}
STORE_CODE = Prepared.insert(AuthorizationCode, "used_at")


def store_grant(
    connection: sa.Connection, grant: dict[str, Any], code: dict[str, Any] | None = None, by_consent: bool = False
) -> bool:
    """Store a grant, and the authorization code that comes of it; what `grant` leaves out is null.

    False, and nothing stored, when its session has ended, or the consent it rests on (`by_consent`) was withdrawn.
    """
    grant = dict.fromkeys(COLUMNS) | grant
    if code is not None and connection.dialect.name == "postgresql":
        its = {f"code_{name}": value for name, value in code.items()}
        return STORE_BOTH[by_consent].first(connection, **grant, **its) is not None
    stored = STORE[by_consent].first(connection, **grant) is not None
    if stored and code is not None:
        STORE_CODE.all(connection, **code)
    return stored
