"""Clients that register, look after and remove themselves (RFC 7591, 3; RFC 7592, 2).

The registration access token is theirs alone and stays the same; only its digest is kept.  What is looked up first is
read without a transaction: an address on the network may have to be asked before anything is written.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.flows.change_client import change_client, client_to_change, metadata_of
from idp.flows.here import Here
from idp.flows.initial_access_tokens import RightToRegister, use_right
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient, checked, description, give_secret, new_client
from idp.models import Client, InitialAccessToken
from policies.registration import ClientMetadata, plain_metadata, read_metadata
from policies.self_registration import self_registered


@dataclass(frozen=True, slots=True)
class OwnRegistration:
    """A client as it sees itself; `token` is what it showed or was given, `scopes` the most it may ask for.

    A secret is there only if it was given just now.
    """

    client_id: str
    created_at: datetime
    metadata: ClientMetadata
    token: str
    scopes: frozenset[str] = frozenset()
    secret: str | None = None


OWN = (
    sa.select(Client.registration_digest, Client.created_at, Client.registration, InitialAccessToken.scopes)
    .outerjoin(InitialAccessToken, InitialAccessToken.id == Client.registered_with)
    .where(Client.client_id == sa.bindparam("client_id"), Client.removed_at.is_(None))
)


def new_registration(said: Mapping[str, Any], right: RightToRegister) -> ClientMetadata:
    """What would be registered of a client that says this.  Raises `BadClient`; nothing is counted or kept."""
    return _registration(said, right.scopes)


def register_itself(here: Here, metadata: ClientMetadata, right: RightToRegister) -> OwnRegistration | Refusal:
    """Use the right once, and register what `new_registration` let through; refused when the right is used up."""
    if not use_right(right, here.now):
        return Refusal("no-right")
    token = new_token()
    client = new_client(here, metadata, None)
    client.registration_digest, client.registered_with = digest(token), right.id
    secret = give_secret(here, client)
    db.session.add(client)
    here = here.acting_as(f"initial-token/{right.id}")
    record(here, "client-registered", subject=f"client/{client.client_id}", before={}, after=description(client))
    return OwnRegistration(client.client_id, here.now, metadata, token, right.scopes, secret)


def own_registration(client_id: str, token: str) -> OwnRegistration | Refusal:
    """What is registered of the client that a registration access token belongs to.

    Where there is no such client, a token of another one is in the wrong hands, and dies (RFC 7592, 2.1).
    """
    with reader().connect() as connection:
        found = connection.execute(OWN, {"client_id": client_id}).one_or_none()
    if found is None:
        _forget_token(token)
        return Refusal("no-such-client")
    if not hmac.compare_digest(found.registration_digest or "", digest(token)):
        return Refusal("not-yours")
    metadata = read_metadata(found.registration)[0]
    return OwnRegistration(client_id, found.created_at, metadata, token, frozenset(found.scopes or ()))


def changed_registration(own: OwnRegistration, said: Mapping[str, Any]) -> ClientMetadata:
    """What would be registered if the client said this now.  Raises `BadClient`; nothing is changed."""
    return _registration(said, own.scopes, own.metadata)


def change_itself(here: Here, own: OwnRegistration, said: Mapping[str, Any]) -> OwnRegistration | Refusal:
    """Replace what is registered by what the client says; refused when it was removed meanwhile.  Raises `BadClient`.

    What people have changed since `own` was read counts: while an address was asked, time went by.
    """
    client = client_to_change(own.client_id)
    if client is None:
        return Refusal("no-such-client")
    metadata = _registration(said, own.scopes, metadata_of(client))
    here = here.acting_as(f"client/{own.client_id}")
    secret = change_client(here, client, plain_metadata(metadata), client.system)
    return OwnRegistration(own.client_id, own.created_at, metadata, own.token, own.scopes, secret)


def secret_is(client_id: str, secret: object) -> bool:
    """Whether a client that sends its secret along sends the right one (RFC 7592, 2.2)."""
    with reader().connect() as connection:
        held = connection.scalar(sa.select(Client.secret_digest).where(Client.client_id == client_id))
    return isinstance(secret, str) and held is not None and hmac.compare_digest(held, digest(secret))


def _registration(
    said: Mapping[str, Any], scopes: frozenset[str], current: ClientMetadata | None = None
) -> ClientMetadata:
    registration, mistakes = self_registered(said, scopes, current)
    if mistakes:
        raise BadClient(mistakes)
    return checked(registration)


def _forget_token(token: str) -> None:
    db.session.execute(
        sa.update(Client)
        .where(Client.registration_digest == digest(token))
        .values(registration_digest=None)
        .execution_options(synchronize_session=False)
    )
