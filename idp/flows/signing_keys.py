"""Keys that sign: making one, publishing them, signing and checking what was signed (RFC 7515, 7517).

The only place where a private key is opened.  Which key signs is read again every few seconds, so a retired key is
out of use within that time in every process; importing a key is dear, so each is imported once.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from sqlalchemy.engine import Engine

from idp.db import db, reader
from idp.errors import AchkychError, Tampered
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import SigningKey
from idp.service import Service

ALGORITHM = "RS256"
BITS = 2048  # RFC 7518, 3.3; 3072 would treble the cost of each token
RECENT = 5.0  # seconds; «disabled means disabled now» (security.md, principle 8)
LONGEST_TOKEN = 16_384  # characters

_signature_rules = jws.JWSRegistry(algorithms=[ALGORITHM])


class StoredKey(NamedTuple):
    """A row of the table, as far as it is needed here; `private` is sealed."""

    kid: str
    public: dict[str, Any]
    private: bytes
    active_from: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one database as they were at `read_at` (monotonic seconds)."""

    signing: StoredKey | None
    published: tuple[StoredKey, ...]
    read_at: float


ALL_KEYS = sa.select(
    SigningKey.kid, SigningKey.public, SigningKey.private, SigningKey.active_from, SigningKey.retired_at
).order_by(SigningKey.active_from)


_rings: WeakKeyDictionary[Engine, KeyRing] = WeakKeyDictionary()
_imported: dict[str, RSAKey] = {}  # by thumbprint: what stands under one never changes


def ensure_signing_key(here: Here) -> bool:
    """Make the first signing key, if no key signs at present; whether one can sign already, before any commit."""
    if _read_keys(here.now).signing is not None:
        return True
    key = RSAKey.generate_key(BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    kid = key.thumbprint()
    private = here.service.vault.seal(json.dumps(key.as_dict(private=True)), _place(kid))
    db.session.add(
        SigningKey(
            kid=kid,
            algorithm=ALGORITHM,
            public=key.as_dict(private=False),
            private=private,
            created_at=here.now,
            active_from=here.now,
        )
    )
    record(here, "signing-key-made", subject=f"key/{kid}", before={}, after={"algorithm": ALGORITHM, "bits": BITS})
    _rings.pop(db.engine, None)
    return False


def published_keys(service: Service) -> dict[str, Any]:
    """The JWK Set of all keys in use, also those that will sign later (RFC 7517, 5)."""
    return {"keys": [key.public for key in _ring(service).published]}


def sign(service: Service, header_typ: str, claims: dict[str, Any]) -> str:
    """`claims` as a compact JWS of type `header_typ`, by the key that signs now."""
    row = _ring(service).signing
    if row is None:
        raise AchkychError("there is no signing key (`ensure_signing_key`)")
    header = {"alg": ALGORITHM, "kid": row.kid, "typ": header_typ}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
    return jws.serialize_compact(header, payload, _private_key(service, row), registry=_signature_rules)


def verify(service: Service, header_typ: str, token: str, also_retired: bool = False) -> dict[str, Any] | None:
    """The claims of a token of ours, or None when it is not: signature, algorithm and type hold; no claim is checked.

    The key is chosen among our own by `kid`; keys that a header brings along are not looked at (RFC 8725, 3.1, 3.10,
    3.11), and taken from its sealed half: who can only write to the database can't slip in one of their own.
    `also_retired` accepts keys out of use, for seals of long ago.
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        header = jws.extract_compact(token.encode(), registry=_signature_rules).headers()
        row = _known_key(service, str(header.get("kid")), also_retired)
        if row is None or header.get("typ") != header_typ:
            return None
        opened = jws.deserialize_compact(token, _private_key(service, row), registry=_signature_rules)
        claims = json.loads(opened.payload or b"")
    except (JoseError, ValueError, Tampered):
        return None
    return claims if isinstance(claims, dict) else None


def _known_key(service: Service, kid: str, also_retired: bool) -> StoredKey | None:
    keys = _stored_keys() if also_retired else _ring(service).published
    return next((key for key in keys if key.kid == kid), None)


def _ring(service: Service) -> KeyRing:
    """The keys, at most a few seconds old."""
    ring = _rings.get(db.engine)
    if ring is None or time.monotonic() - ring.read_at > RECENT:
        ring = _rings[db.engine] = _read_keys(service.clock.now())
    return ring


def _read_keys(now: datetime) -> KeyRing:
    published = tuple(key for key in _stored_keys() if key.retired_at is None or key.retired_at > now)
    active = [key for key in published if key.active_from <= now]
    return KeyRing(active[-1] if active else None, published, time.monotonic())


def _stored_keys() -> tuple[StoredKey, ...]:
    """Every key, the one that signed first in front."""
    with reader().connect() as connection:
        return tuple(StoredKey(*row) for row in connection.execute(ALL_KEYS))


def _private_key(service: Service, row: StoredKey) -> RSAKey:
    key = _imported.get(row.kid)
    if key is None:
        key = RSAKey.import_key(json.loads(service.vault.open(row.private, _place(row.kid))))
        _imported[row.kid] = key
    return key


def _place(kid: str) -> str:
    return f"signing_key/{kid}/private"
