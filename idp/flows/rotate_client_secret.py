"""Giving a confidential client a new secret; the old one is dead at once (security.md, OAuth server)."""

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.register_client import give_secret
from idp.models import Client


def rotate_client_secret(here: Here, client_id: str) -> str | Refusal:
    """The new secret, shown this once; refused for clients that are unknown or removed, or that need none."""
    client = db.session.scalar(sa.select(Client).where(Client.client_id == client_id, Client.removed_at.is_(None)))
    if client is None:
        return Refusal("no-such-client")
    before = {"secret_digest": client.secret_digest}
    secret = give_secret(here, client)
    if secret is None:
        return Refusal("public-client")
    after = {"secret_digest": client.secret_digest}  # the audit trail says «changed», no more
    record(here, "client-secret-rotated", subject=f"client/{client_id}", before=before, after=after)
    return secret
