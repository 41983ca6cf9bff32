"""Initial access tokens: the right to register so many clients, until a day, within these scopes (RFC 7591, 3).

Given out and taken back here, and counted.  What such a client may be is for `policies/self_registration.py` to say.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import InitialAccessToken
from policies.registration import MANAGE_CLIENTS

MOST_USES = 10_000
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class RightToRegister:
    """An initial access token that held when it was looked at; `scopes` are the most its clients get."""

    id: UUID
    name: str
    scopes: frozenset[str]


def _usable(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    row = InitialAccessToken
    return row.uses_left > 0, row.revoked_at.is_(None), row.expires_at > now


def issue_initial_access_token(
    here: Here, name: str, scopes: Collection[str], uses: int, lifetime: timedelta
) -> tuple[UUID, str] | Refusal:
    """Its id, and the token that nobody will see again; `name` says whom it is for.

    Refused when it could register clients that register more of them.
    """
    if MANAGE_CLIENTS in scopes:
        return Refusal("too-much")
    token = new_token()
    row = InitialAccessToken(
        name=name,
        token_digest=digest(token),
        scopes=sorted(scopes),
        uses_left=uses,
        created_at=here.now,
        expires_at=here.now + lifetime,
    )
    db.session.add(row)
    db.session.flush()
    after = {"name": name, "scopes": row.scopes, "uses_left": uses, "expires_at": row.expires_at}
    record(here, "registration-allowed", subject=f"initial-token/{row.id}", before={}, after=after)
    return row.id, token


def initial_access_tokens() -> Sequence[InitialAccessToken]:
    """All of them, the oldest first, those that are spent, over and revoked as well."""
    return db.session.scalars(sa.select(InitialAccessToken).order_by(InitialAccessToken.id)).all()


def revoke_initial_access_token(here: Here, token_id: UUID) -> Refusal | None:
    """End the right; the clients registered with it stay."""
    row = db.session.get(InitialAccessToken, token_id)
    if row is None or row.revoked_at is not None:
        return Refusal("no-such-token")
    row.revoked_at = here.now
    subject = f"initial-token/{row.id}"
    record(here, "registration-revoked", subject=subject, before={"revoked_at": None}, after={"revoked_at": here.now})
    return None


def find_right(token: str, now: datetime) -> RightToRegister | None:
    """The right behind a token, if it can be used now."""
    row = InitialAccessToken
    wanted = sa.select(row.id, row.name, row.scopes).where(row.token_digest == digest(token), *_usable(now))
    with reader().connect() as connection:
        found = connection.execute(wanted).one_or_none()
    return RightToRegister(found.id, found.name, frozenset(found.scopes)) if found else None


def use_right(right: RightToRegister, now: datetime) -> bool:
    """Count one use down; False when somebody else had the last one, or the right has ended since.

    A transaction of its own, before the client is stored: of a crash in between a use is lost, never one too many given.
    """
    row = InitialAccessToken
    counted = sa.update(row).where(row.id == right.id, *_usable(now)).values(uses_left=row.uses_left - 1)
    with db.engine.begin() as connection:
        return connection.execute(counted.returning(row.id)).first() is not None
