"""Standard Webhooks 1.0.0: who sent these bytes, and when (hr-orders, verifying); signing what we send ourselves.

Schemes `v1` (HMAC-SHA-256, keys ``whsec_...``) and `v1a` (Ed25519: ``whsk_...`` signs, ``whpk_...`` verifies).  The PyPI
package of the same name knows only `v1`; the tests hold ours against it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE = 300  # seconds a time stamp may be off
MOST_SIGNATURES = 8
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
LONGEST_ID = 200
KEY_BYTES = 32


def signed_headers(message_id: str, body: bytes, keys: Iterable[str], now: datetime) -> dict[str, str]:
    """The three headers that sign `body` under each of `keys` (``whsec_`` or ``whsk_``), of which one has to do."""
    stamp = str(int(now.timestamp()))
    signed = f"{message_id}.{stamp}.".encode() + body
    return dict(zip(HEADERS, (message_id, stamp, " ".join(_signature(key, signed) for key in keys)), strict=True))


def new_key() -> str:
    """A secret that both sides know, for `v1`."""
    return _written("whsec", secrets.token_bytes(KEY_BYTES))


def new_key_pair() -> tuple[str, str]:
    """For `v1a`: the key that signs, and the one that whoever verifies may know."""
    key = Ed25519PrivateKey.generate()
    return _written("whsk", key.private_bytes_raw()), _written("whpk", key.public_key().public_bytes_raw())


def is_signed(headers: Mapping[str, str], body: bytes, keys: Iterable[str], now: datetime) -> bool:
    """Whether any signature in `headers` over `body` is valid under any of `keys` and fresh; never raises."""
    message_id, stamp, signatures = (headers.get(name, "") for name in HEADERS)
    if not message_id or len(message_id) > LONGEST_ID or not _is_fresh(stamp, now):
        return False
    entries = signatures.split(" ")
    if len(entries) > MOST_SIGNATURES:
        return False
    signed = f"{message_id}.{stamp}.".encode() + body
    given = [entry.partition(",")[::2] for entry in entries]
    return any(_matches(scheme, signature, signed, key) for key in keys for scheme, signature in given)


def _signature(key: str, signed: bytes) -> str:
    kind, _, encoded = key.partition("_")
    secret = base64.b64decode(encoded, validate=True)
    if kind == "whsk":
        return "v1a," + base64.b64encode(Ed25519PrivateKey.from_private_bytes(secret).sign(signed)).decode()
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def _written(kind: str, key: bytes) -> str:
    return f"{kind}_{base64.b64encode(key).decode()}"


def _is_fresh(stamp: str, now: datetime) -> bool:
    return stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and abs(now.timestamp() - int(stamp)) <= TOLERANCE


def _matches(scheme: str, signature: str, signed: bytes, key: str) -> bool:
    kind, _, encoded = key.partition("_")
    try:
        secret, given = base64.b64decode(encoded, validate=True), base64.b64decode(signature, validate=True)
        if (scheme, kind) == ("v1", "whsec"):
            return hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256), given)
        if (scheme, kind) == ("v1a", "whpk"):
            Ed25519PublicKey.from_public_bytes(secret).verify(given, signed)
            return True
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return False
