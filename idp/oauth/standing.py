"""Whether a grant still stands, and whether an account may use a client's system: asked anew at every use.

A grant stands while it is not revoked, its client is registered, its account is open, and the account has access to
the client's system (security.md, refresh tokens; Regulation 3.7).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Client, Grant, Link, Session
from idp.prepared import Prepared


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


BY_ID = Prepared(standing().where(Grant.id == sa.bindparam("grant")))
ACTIVE_LINK = Prepared(
    sa.select(Link.id).where(
        Link.account_id == sa.bindparam("account"), Link.system == sa.bindparam("system"), Link.active.is_(True)
    )
)


def standing_grant(grant_id: UUID, now: datetime) -> StandingGrant | None:
    """The grant, if it stands at `now`."""
    row = BY_ID.first(grant=grant_id, now=now)
    return StandingGrant(*row) if row else None


def has_access(account_id: UUID, system: str | None) -> bool:
    """Whether policy gives the account this system; a client without a system is open to every account."""
    if system is None:
        return True
    return ACTIVE_LINK.first(account=account_id, system=system) is not None


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
