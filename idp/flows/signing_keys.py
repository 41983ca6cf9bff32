"""Keys that sign: making one, publishing them, signing and checking what was signed (RFC 7515, 7517).

The only place where a private key is opened.  Which key signs is read again every few seconds, so a retired key is
out of use within that time in every process; importing a key is dear, so each is imported once.  When a key takes
over from another: `rotate_keys.py`.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey, import_key
from sqlalchemy.engine import Engine

from idp.db import db, reader
from idp.errors import AchkychError, Tampered
from idp.flows.here import Here
from idp.flows.record import record
from idp.jose import open_jws, read_jws, signer
from idp.models import SigningKey
from idp.service import Service

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
DEFAULT_ALGORITHM = "RS256"  # which every client must understand (OIDC Core, 15.1)
BITS = 2048  # RFC 7518, 3.3; 3072 would treble the cost of each token
RECENT = 5.0  # seconds; «disabled means disabled now» (security.md, principle 8)
VERY_RECENT = 0.5  # seconds; made-up key names must not cost a look at the table each
KEYS_LOCK = 0x4B455953  # one maker of keys at a time, on PostgreSQL; on SQLite there is one writer anyway


class StoredKey(NamedTuple):
    """A row of the table, as far as it is needed here; `private` is sealed, and empty once it was destroyed."""

    kid: str
    algorithm: str
    public: dict[str, Any]
    private: bytes
    active_from: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one database as they were at `read_at` (monotonic seconds), those of long ago included."""

    signing: dict[str, StoredKey]  # by algorithm
    published: tuple[StoredKey, ...]
    known: dict[str, StoredKey]  # by kid
    read_at: float


ALL_KEYS = sa.select(
    SigningKey.kid,
    SigningKey.algorithm,
    SigningKey.public,
    SigningKey.private,
    SigningKey.active_from,
    SigningKey.retired_at,
).order_by(SigningKey.active_from, SigningKey.id)


_rings: WeakKeyDictionary[Engine, KeyRing] = WeakKeyDictionary()
_imported: dict[str, Key] = {}  # by thumbprint: what stands under one never changes
_signers: dict[str, Callable[[bytes], bytes]] = {}  # the same
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def ensure_signing_keys(here: Here) -> bool:
    """Make a first key for each algorithm without one; whether all could sign already, before any commit."""
    if _ring(here.service).signing.keys() >= set(ALGORITHMS):
        return True
    lock_keys()
    signing = keys_as_of(stored_keys(), here.now).signing
    missing = [algorithm for algorithm in ALGORITHMS if algorithm not in signing]
    for algorithm in missing:
        make_signing_key(here, algorithm, here.now)
    return not missing


def make_signing_key(here: Here, algorithm: str, active_from: datetime) -> StoredKey:
    """A new key that signs from `active_from` on, and is published from now on.  Call `lock_keys` first."""
    key = _generate(algorithm)
    kid = key.thumbprint()
    row = SigningKey(
        kid=kid,
        algorithm=algorithm,
        public=key.as_dict(private=False),
        private=here.service.vault.seal(json.dumps(key.as_dict(private=True)), _place(kid)),
        created_at=here.now,
        active_from=active_from,
    )
    db.session.add(row)
    after = {"algorithm": algorithm, "active_from": active_from.isoformat()}
    record(here, "signing-key-made", subject=f"key/{kid}", before={}, after=after)
    forget_keys()
    return StoredKey(kid, algorithm, row.public, row.private, active_from, None)


def published_keys(service: Service) -> dict[str, Any]:
    """The JWK Set of all keys in use, also those that will sign later (RFC 7517, 5)."""
    return {"keys": [key.public for key in _ring(service).published]}


def sign(service: Service, header_typ: str, claims: dict[str, Any], algorithm: str = DEFAULT_ALGORITHM) -> str:
    """`claims` as a compact JWS of type `header_typ`, by the key that signs with `algorithm` now."""
    key = _ring(service).signing.get(algorithm)
    if key is None:
        raise AchkychError(f"there is no signing key for {algorithm} (`ensure_signing_keys`)")
    return sign_with(service, key, header_typ, claims)


def sign_with(service: Service, key: StoredKey, header_typ: str, claims: dict[str, Any]) -> str:
    """The same by one certain key, for what must not wait until that signs for all."""
    signs = _signers.get(key.kid)
    if signs is None:
        signs = _signers[key.kid] = signer(_private_key(service, key), key.algorithm)
    signed = _header(key.algorithm, key.kid, header_typ) + _segment(_encode(claims).encode())
    return (signed + b"." + _segment(signs(signed))).decode()


def verify(service: Service, header_typ: str, token: str, also_retired: bool = False) -> dict[str, Any] | None:
    """The claims of a token of ours, or None when it is not: signature, algorithm and type hold; no claim is checked.

    The key is chosen among our own by `kid`, and taken from its sealed half: who can only write to the database can't
    slip in one of their own.  `also_retired` accepts keys out of use, for hints and for seals of long ago; a key that
    was stolen is destroyed and opens nothing.
    """
    unverified = read_jws(token)
    key = _known_key(service, unverified.header.get("kid"), also_retired) if unverified else None
    if unverified is None or key is None:
        return None
    try:
        own = _private_key(service, key)
    except Tampered:
        return None
    return open_jws(unverified, own, (key.algorithm,), (header_typ,))


def stored_keys() -> tuple[StoredKey, ...]:
    """Every key as the running transaction sees it, the one that signed first in front."""
    return _rows(db.session.execute(ALL_KEYS))


def read_keys(now: datetime) -> KeyRing:
    """Who signs and who is published, read at this moment and without waiting for anybody."""
    with reader().connect() as connection:
        return keys_as_of(_rows(connection.execute(ALL_KEYS)), now)


def keys_as_of(keys: Iterable[StoredKey], now: datetime) -> KeyRing:
    """Who signs and who is published at `now`."""
    usable = [key for key in keys if key.private]
    published = tuple(key for key in usable if key.retired_at is None or key.retired_at > now)
    signing = {key.algorithm: key for key in published if key.active_from <= now}  # the last one wins
    return KeyRing(signing, published, {key.kid: key for key in usable}, time.monotonic())


def lock_keys() -> None:
    """Wait until nobody else makes or retires keys; held until the end of the transaction."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(KEYS_LOCK)))


def forget_keys() -> None:
    """Have this process look at the table again."""
    _rings.pop(db.engine, None)


def _known_key(service: Service, kid: str | None, also_retired: bool) -> StoredKey | None:
    ring = _ring(service)
    if kid not in ring.known:  # maybe of a key that another process made just now
        ring = _ring(service, VERY_RECENT)
    key = ring.known.get(kid or "")
    return key if also_retired or key in ring.published else None


def _ring(service: Service, at_most: float = RECENT) -> KeyRing:
    """The keys as they were so many seconds ago, at most."""
    ring = _rings.get(db.engine)
    if ring is None or time.monotonic() - ring.read_at > at_most:
        ring = _rings[db.engine] = read_keys(service.clock.now())
    return ring


def _rows(found: sa.Result[Any]) -> tuple[StoredKey, ...]:
    return tuple(StoredKey._make(row) for row in found)


def _generate(algorithm: str) -> Key:
    parameters: KeyParameters = {"use": "sig", "alg": algorithm}
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters, auto_kid=True)
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters, auto_kid=True)
    return RSAKey.generate_key(BITS, parameters, auto_kid=True)


def _private_key(service: Service, row: StoredKey) -> Key:
    key = _imported.get(row.kid)
    if key is None:
        key = _imported[row.kid] = import_key(json.loads(service.vault.open(row.private, _place(row.kid))))
    return key


@lru_cache(maxsize=128)
def _header(algorithm: str, kid: str, header_typ: str) -> bytes:
    """The first part of a token, with its dot."""
    return _segment(_encode({"alg": algorithm, "kid": kid, "typ": header_typ}).encode()) + b"."


def _segment(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _place(kid: str) -> str:
    return f"signing_key/{kid}/private"
