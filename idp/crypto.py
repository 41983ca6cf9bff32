"""Sealing at rest, keyed fingerprints and random tokens (security.md, JWT and keys).

Values are sealed with AES-256-GCM under a named key, so that keys can be rotated: the key's id stands in front of
the sealed value.  The place of the value (table, row, column) is authenticated with it: a sealed value copied to
another row does not open.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idp.errors import Tampered

NONCE = 12


@dataclass(frozen=True, repr=False)
class Vault:
    """Seals and opens values; finds sealed identifiers by their fingerprint.

    `keys` maps key id to 32 bytes; `active` is the id used for sealing; `lookup` keys the fingerprints.
    """

    keys: dict[str, bytes]
    active: str
    lookup: bytes

    def seal(self, value: str, place: str) -> bytes:
        """`value` sealed for `place`, e.g. ``person/<id>/personal_number``."""
        nonce = secrets.token_bytes(NONCE)
        sealed = AESGCM(self.keys[self.active]).encrypt(nonce, value.encode(), place.encode())
        return self.active.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """The value sealed for `place`.  Raises `Tampered` when it does not open."""
        key_id, _, body = sealed.partition(b":")
        key = self.keys.get(key_id.decode("ascii", "replace"))
        if key is None:
            raise Tampered(f"{place} is sealed with an unknown key")
        try:
            return AESGCM(key).decrypt(body[:NONCE], body[NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError) as cause:  # ValueError: cut off within the nonce
            raise Tampered(f"{place} does not open") from cause

    def fingerprint(self, value: str) -> str:
        """A keyed hash (HMAC-SHA-256, hex) that finds equal values without revealing them."""
        return hmac.new(self.lookup, value.encode(), hashlib.sha256).hexdigest()


def new_token() -> str:
    """256 random bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a random token: SHA-256, hex.  Enough, since the token itself is random."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_key() -> str:
    """A fresh 256-bit key in base64, as settings write it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
