"""Registering a client of the OAuth provider (RFC 6749, 2; RFC 7591; security.md, OAuth server).

What a client may be is for `policies/registration.py` to say.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from idp.crypto import digest, new_token
from idp.db import db
from idp.errors import AchkychError
from idp.flows.here import Here
from idp.flows.record import record
from idp.jose import choose_encryption_key, read_jwks
from idp.models import Client, System
from policies.registration import BY_SECRET, ClientMetadata, Mistake, plain_metadata, read_metadata


class BadClient(AchkychError):
    """A client that can't be registered like this; names every mistake."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(f"{mistake.field}: {mistake.reason}" for mistake in mistakes))
        self.mistakes = mistakes


def register_client(here: Here, registration: Mapping[str, Any], system: str | None = None) -> tuple[str, str | None]:
    """Add a client; its id, and its secret that nobody will see again (None where it needs none).

    `registration` is its metadata under the standards' names.  `system` is the code of the system it belongs to: only
    accounts with access to that get in; without one everybody does.  Raises `BadClient`.
    """
    client = new_client(here, checked(registration, system), system)
    secret = give_secret(here, client)
    db.session.add(client)
    record(here, "client-registered", subject=f"client/{client.client_id}", before={}, after=description(client))
    return client.client_id, secret


def checked(registration: Mapping[str, Any], system: str | None = None) -> ClientMetadata:
    """The metadata, if a client of that system may be like that.  Raises `BadClient` with every mistake."""
    metadata, mistakes = read_metadata(registration)
    mistakes = mistakes or tuple(_of_keys(metadata)) + tuple(_of_system(system))
    if mistakes:
        raise BadClient(mistakes)
    return metadata


def _of_keys(metadata: ClientMetadata) -> Iterator[Mistake]:
    """Keys that nothing could be done with later (RFC 7591, 2)."""
    keys = read_jwks(metadata.jwks) if metadata.jwks is not None else None
    if isinstance(keys, str):
        yield Mistake("jwks", keys)
    elif keys is not None:
        for what in ("id_token", "userinfo"):
            algorithm = getattr(metadata, f"{what}_encrypted_response_alg")
            if algorithm is not None and choose_encryption_key(keys, algorithm) is None:
                yield Mistake("jwks", f"has no key that a {what} could be encrypted to with {algorithm}")


def _of_system(system: str | None) -> Iterator[Mistake]:
    if system is not None and db.session.get(System, system) is None:
        yield Mistake("system", "is not known")


def new_client(here: Here, metadata: ClientMetadata, system: str | None) -> Client:
    """The row of a client, not yet added."""
    client_id = secrets.token_hex(12)
    return Client(client_id=client_id, system=system, registration=plain_metadata(metadata), created_at=here.now)


def give_secret(here: Here, client: Client) -> str | None:
    """A new secret for a client that proves itself by one; the old one is dead.

    Only the digest is kept, unless the secret is the key of an HMAC (OIDC Core, 9: client_secret_jwt).
    """
    method = read_metadata(client.registration)[0].token_endpoint_auth_method
    client.secret_digest = client.secret = None
    if method not in (*BY_SECRET, "client_secret_jwt"):
        return None
    secret = new_token()
    client.secret_digest = digest(secret)
    if method == "client_secret_jwt":
        client.secret = here.service.vault.seal(secret, secret_place(client.client_id))
    return secret


def drop_unneeded(client: Client) -> None:
    """Forget what a client had for a method that is not its own any more."""
    method = read_metadata(client.registration)[0].token_endpoint_auth_method
    if method != "client_secret_jwt":
        client.secret = None
    if method not in (*BY_SECRET, "client_secret_jwt"):
        client.secret_digest = None


def secret_place(client_id: str) -> str:
    """What a sealed client secret is bound to."""
    return f"client/{client_id}/secret"


def description(client: Client) -> dict[str, Any]:
    """A client as the audit trail shows it."""
    return {"system": client.system, **client.registration}


def has_what_it_needs(client: Client) -> bool:
    """Whether it has the secret it proves itself by, or needs none."""
    method = read_metadata(client.registration)[0].token_endpoint_auth_method
    if method == "client_secret_jwt":
        return client.secret is not None
    return method not in BY_SECRET or client.secret_digest is not None
