"""Whether a grant still stands, and whether an account may use a client's system: asked anew at every use.

A grant stands while it is not revoked, its client is registered, its account is open, and the account has access to
the client's system (security.md, refresh tokens; Regulation 3.7).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Acceptance, Account, Client, Grant, Link, Session


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """A grant that stands now.  `client_row` is the id of its client's row; `scope` is blank-separated.

    `sub` is the account's own; under which one a client knows it, is for `subject.py` to say.
    """

    id: UUID
    client_row: UUID
    session_id: UUID
    account_id: UUID
    sub: str
    scope: str
    claims: dict[str, Any] | None
    resources: list[str] | None
    authorization_details: list[Any] | None
    granted_at: datetime
    amr: list[str]


WIDTH = 11  # columns of a standing grant at the front of each row
_access = sa.exists().where(Link.account_id == Account.id, Link.system == Client.system, Link.active.is_(True))


def standing(*more: Any) -> sa.Select[Any]:
    """A query for grants that stand at the bound parameter `now`; the columns of `StandingGrant`, then `more`."""
    return (
        sa.select(
            Grant.id,
            Grant.client_id,
            Grant.session_id,
            Account.id,
            Account.sub,
            Grant.scope,
            Grant.claims,
            Grant.resources,
            Grant.authorization_details,
            Grant.granted_at,
            Session.amr,
            *more,
        )
        .join(Session, Session.id == Grant.session_id)
        .join(Account, Account.id == Grant.account_id)
        .join(Client, Client.id == Grant.client_id)
        .where(
            Grant.revoked_at.is_(None),
            Client.removed_at.is_(None),
            Account.opens_at <= sa.bindparam("now"),
            sa.or_(Account.closes_at.is_(None), Account.closes_at > sa.bindparam("now")),
            sa.or_(Client.system.is_(None), _access),
        )
    )


BY_ID = standing().where(Grant.id == sa.bindparam("grant"))
ACTIVE_LINK = sa.select(Link.id).where(
    Link.account_id == sa.bindparam("account"), Link.system == sa.bindparam("system"), Link.active.is_(True)
)

HOLDINGS = sa.union_all(
    sa.select(sa.literal("agreement"), Acceptance.sha256).where(Acceptance.account_id == sa.bindparam("account")),
    sa.select(sa.literal("system"), Link.system).where(
        Link.account_id == sa.bindparam("account"), Link.active.is_(True)
    ),
)


def standing_grant(connection: Connection, grant_id: UUID, now: datetime) -> StandingGrant | None:
    """The grant, if it stands at `now`."""
    row = connection.execute(BY_ID, {"grant": grant_id, "now": now}).one_or_none()
    return StandingGrant(*row) if row else None


def has_access(account_id: UUID, system: str | None) -> bool:
    """Whether policy gives the account this system; a client without a system is open to every account."""
    if system is None:
        return True
    with reader().connect() as connection:
        return connection.execute(ACTIVE_LINK, {"account": account_id, "system": system}).first() is not None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account has that decides about its sign-ins: agreements accepted (digests), systems it may use (codes)."""

    accepted: frozenset[str]
    systems: frozenset[str]


def holdings_of(account_id: UUID) -> Holdings:
    """Both in one read: every sign-in passes here."""
    with reader().connect() as connection:
        rows = connection.execute(HOLDINGS, {"account": account_id}).all()
    return Holdings(
        frozenset(name for kind, name in rows if kind == "agreement"),
        frozenset(name for kind, name in rows if kind == "system"),
    )


def revoke_grant(here: Here, grant_id: UUID, reason: str) -> None:
    """End a grant and with it every code and token that came from it; nothing happens when it has ended already."""
    ended = db.session.execute(
        sa.update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=here.now, revoke_reason=reason)
        .returning(Grant.account_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if ended is None:
        return
    account = db.session.get(Account, ended.account_id)
    after = {"revoked_at": here.now, "reason": reason}
    record(here, "grant-revoked", account, subject=f"grant/{grant_id}", before={"revoked_at": None}, after=after)
