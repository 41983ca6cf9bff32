"""Noting which clients must be told that sessions have ended (Regulation 5.6; OIDC Back-Channel Logout, 2.5).

The notes are rows of the same transaction, so no end of a session is forgotten; a worker does the telling
(`idp/provisioning/tell_client.py`).  Clients that have no address for it are told by the browser, where there is one
(`idp/oauth/frontchannel_logout.py`).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.work import CLOSING, Work, leave_work
from idp.models import Client, Grant, LogoutNotice
from policies.registration import read_metadata


def tell_clients(here: Here, sessions: Sequence[UUID]) -> int:
    """Leave a notice for each client that was signed in to through one of the `sessions`, which end now; how many.

    A grant that was revoked before counts as well: what the client made of it, its own session, may still be open.
    """
    notices = [
        LogoutNotice(
            session_id=row.session_id,
            client_id=row.client_id,
            account_id=row.account_id,
            created_at=here.now,
            run_at=here.now,
        )
        for row in _signed_in_to(sessions)
        if read_metadata(row.registration)[0].backchannel_logout_uri
    ]
    db.session.add_all(notices)
    db.session.flush()
    for notice in notices:
        leave_work(Work("logout", notice.id, here.now, CLOSING, "logout"))
    return len(notices)


def _signed_in_to(sessions: Sequence[UUID]) -> Sequence[Any]:
    """Each client once for each session."""
    if not sessions:
        return ()
    pairs = (
        sa.select(Grant.session_id, Grant.client_id, Grant.account_id)
        .where(Grant.session_id.in_(sessions))
        .distinct()
        .subquery()
    )
    return db.session.execute(
        sa.select(pairs.c.session_id, pairs.c.client_id, pairs.c.account_id, Client.registration)
        .join(Client, Client.id == pairs.c.client_id)
        .where(Client.removed_at.is_(None))
    ).all()
