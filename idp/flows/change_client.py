"""Giving a client other metadata (RFC 7592, 2.2); what it may be is decided as when it was registered."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.register_client import checked, description, drop_unneeded, give_secret, has_what_it_needs
from idp.models import Client
from policies.registration import ClientMetadata, plain_metadata, read_metadata


def change_client(here: Here, client: Client, registration: Mapping[str, Any], system: str | None) -> str | None:
    """Replace all that is registered of a client; a new secret when it needs one and had none, and no old one that it does
    not need any more.  Raises `BadClient`."""
    before = description(client)
    client.registration = plain_metadata(checked(registration, system))
    client.system = system
    drop_unneeded(client)
    secret = None if has_what_it_needs(client) else give_secret(here, client)
    record(here, "client-changed", subject=f"client/{client.client_id}", before=before, after=description(client))
    return secret


def client_to_change(client_id: str) -> Client | None:
    """The client, held until the transaction ends, so that two changes come one after the other."""
    wanted = sa.select(Client).where(Client.client_id == client_id, Client.removed_at.is_(None))
    return db.session.scalar(wanted.with_for_update())


def metadata_of(client: Client) -> ClientMetadata:
    """What is registered of it, read."""
    return read_metadata(client.registration)[0]
