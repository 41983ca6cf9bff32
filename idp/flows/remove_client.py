"""Removing a client: it can do nothing any more, and what it holds is revoked (security.md, principle 8)."""

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Client, Grant


def remove_client(here: Here, client_id: str) -> int | Refusal:
    """How many grants were revoked with it.  The row stays, because history points at it."""
    client = db.session.scalar(sa.select(Client).where(Client.client_id == client_id, Client.removed_at.is_(None)))
    if client is None:
        return Refusal("no-such-client")
    client.removed_at = here.now
    revoked = db.session.execute(
        sa.update(Grant)
        .where(Grant.client_id == client.id, Grant.revoked_at.is_(None))
        .values(revoked_at=here.now, revoke_reason="client removed")
        .returning(Grant.id)
        .execution_options(synchronize_session=False)
    ).all()
    after = {"removed_at": here.now, "open_grants": 0}
    before = {"removed_at": None, "open_grants": len(revoked)}
    record(here, "client-removed", subject=f"client/{client_id}", before=before, after=after)
    return len(revoked)
