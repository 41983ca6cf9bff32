"""Identifiers of JWTs that were accepted: each once, whoever brings it at the same moment (RFC 7523, 3; RFC 9449, 11.1).

Kept as long as the JWT itself could still be accepted.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from uuid_utils.compat import uuid7

from idp.crypto import digest
from idp.db import INSERTS, db, reader
from idp.models import SpentJti

LONGEST = 256  # characters of an identifier
SWEPT_EVERY = timedelta(minutes=10)  # by each process
SPENT: Any = SpentJti.__table__
SWEEP = sa.delete(SPENT).where(SPENT.c.expires_at < sa.bindparam("now"))

_swept: WeakKeyDictionary[Engine, datetime] = WeakKeyDictionary()


def spend_jti(purpose: str, issuer: str, jti: object, until: datetime, now: datetime) -> bool:
    """Whether `jti` is an identifier, and this is the first time that `issuer` used it for `purpose`.

    `until` is when the JWT is refused anyway.  One statement, in a transaction of its own.
    """
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST:
        return False
    row = {"id": uuid7(), "digest": digest(f"{purpose}\n{issuer}\n{jti}"), "expires_at": until}
    with reader().connect() as connection:
        if now - _swept.get(db.engine, datetime.min.replace(tzinfo=now.tzinfo)) > SWEPT_EVERY:
            connection.execute(SWEEP, {"now": now})
            _swept[db.engine] = now
        return connection.execute(_spending(db.engine.dialect.name), row).first() is not None


@cache
def _spending(dialect: str) -> Any:
    return INSERTS[dialect](SPENT).on_conflict_do_nothing(index_elements=["digest"]).returning(SPENT.c.id)
