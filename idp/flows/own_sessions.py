"""A person's own open sessions: seeing them, ending one, ending all others (Regulation 5.4-5.6; ASVS 7.5.2, 7.4.x)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.sessions import LiveSession, end_all_sessions, end_session
from idp.models import Client, Grant, Session
from policies.devices import device

MOST_ROWS = 200


def own_sessions(here: Here, current: LiveSession) -> list[dict[str, Any]]:
    """The sessions of whose `current` one is, the last used first, each with the systems signed in to through it.

    One that rested for too long is among them: it opens nothing here any more, but may still be open in a system.
    """
    began = here.now - here.service.profile.rules.session.absolute
    rows = db.session.scalars(
        sa.select(Session)
        .where(Session.account_id == current.account_id, Session.ended_at.is_(None), Session.started_at > began)
        .order_by(Session.id != current.id, Session.last_seen_at.desc())
        .limit(MOST_ROWS)
    ).all()
    systems = _signed_in_to([row.id for row in rows])
    return [
        {
            "id": row.id,
            "device": device(row.agent),
            "address": row.address,
            "inside": here.service.profile.institution.is_inside(row.address),
            "started_at": row.started_at,
            "last_seen_at": row.last_seen_at,
            "current": row.id == current.id,
            "systems": systems.get(row.id, []),
        }
        for row in rows
    ]


def end_own_session(here: Here, current: LiveSession, session_id: UUID) -> bool:
    """End one; False when there is none of this id, it has ended already, or it is somebody else's."""
    began, agent = db.session.execute(
        sa.select(Session.started_at, Session.agent).where(
            Session.id == session_id, Session.account_id == current.account_id
        )
    ).one_or_none() or (None, "")
    if began is None or not end_session(here, session_id, "ended-by-person"):
        return False
    told = {"device": device(agent), "signed_in_at": began}
    record(here, "session-ended", current.account, before=told | {"open": True}, after=told | {"open": False})
    return True


def end_other_sessions(here: Here, current: LiveSession) -> int:
    """End all but `current`; how many there were."""
    return end_all_sessions(here, current.account, "ended-by-person", but=[current.id])


def _signed_in_to(sessions: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The names of the clients that hold something through each of the sessions."""
    rows = db.session.execute(
        sa.select(Grant.session_id, Client.client_id, Client.registration)
        .join(Client, Client.id == Grant.client_id)
        .where(Grant.session_id.in_(sessions), Grant.revoked_at.is_(None), Client.removed_at.is_(None))
        .order_by(Grant.granted_at)
    )
    found: defaultdict[UUID, dict[str, None]] = defaultdict(dict)
    for session_id, client_id, registration in rows:
        found[session_id][registration.get("client_name") or client_id] = None
    return {session_id: list(names) for session_id, names in found.items()}
