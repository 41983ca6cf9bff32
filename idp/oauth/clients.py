"""The clients as requests need them: read from the database at most every few seconds.

Owns the cache and the answers Authlib asks a client for.  Registering and changing clients is a matter of flows; a
change in this process empties the cache at once, one in another process is seen within `RECENT` seconds.
"""

import hmac
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from idp.crypto import digest
from idp.db import db, reader
from idp.models import Client
from policies.registration import ClientMetadata, read_metadata

RECENT = 5.0  # seconds; «disabled means disabled now» (security.md, principle 8)
CLIENT_ID = re.compile(r"[A-Za-z0-9._~\-]{1,128}")


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client that is registered now.  `id` is the row's, `client_id` the name it calls itself by.

    `secret` is sealed, and there only for clients that prove themselves by an HMAC.
    """

    id: UUID
    client_id: str
    system: str | None
    secret_digest: str | None
    secret: bytes | None
    metadata: ClientMetadata

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.metadata.client_name or self.client_id

    @property
    def scopes(self) -> frozenset[str]:
        """What it may have at most."""
        return frozenset(self.metadata.scope)

    def check_client_secret(self, secret: str) -> bool:
        """Authlib's question: is this the secret?"""
        return self.secret_digest is not None and hmac.compare_digest(digest(secret), self.secret_digest)

    def check_grant_type(self, grant_type: str) -> bool:
        """Authlib's question: may it use this grant?"""
        return grant_type in self.metadata.grant_types


STATEMENT = sa.select(
    Client.id, Client.client_id, Client.system, Client.secret_digest, Client.secret, Client.registration
).where(Client.client_id == sa.bindparam("client_id"), Client.removed_at.is_(None))

_known: WeakKeyDictionary[Engine, dict[str, tuple[float, RegisteredClient]]] = WeakKeyDictionary()


def find_client(client_id: str | None) -> RegisteredClient | None:
    """The client of that name, or None when it is unknown, removed, or no possible name."""
    if client_id is None or not CLIENT_ID.fullmatch(client_id):
        return None
    known = _known.setdefault(db.engine, {})
    read_at, client = known.get(client_id, (0.0, None))
    if client is not None and time.monotonic() - read_at < RECENT:
        return client
    return _read(client_id, known)


def forget_changed_clients() -> None:
    """Have every commit that changed a client empty the cache of this process."""
    event.listen(db.session, "after_commit", _forget)


def _read(client_id: str, known: dict[str, tuple[float, RegisteredClient]]) -> RegisteredClient | None:
    started = time.monotonic()
    with reader().connect() as connection:
        row = connection.execute(STATEMENT, {"client_id": client_id}).one_or_none()
    if row is None:
        known.pop(client_id, None)
        return None
    metadata, _ = read_metadata(row.registration)
    client = RegisteredClient(row.id, row.client_id, row.system, row.secret_digest, row.secret, metadata)
    known[client_id] = (started, client)
    return client


@event.listens_for(Client, "after_insert")
@event.listens_for(Client, "after_update")
def _changed(_mapper: Any, _connection: Any, client: Client) -> None:
    session = sa.orm.object_session(client)
    if session is not None:
        session.info["clients-changed"] = True


def _forget(session: Any) -> None:
    if session.info.pop("clients-changed", False):
        _known.pop(db.engine, None)
