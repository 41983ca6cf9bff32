"""A device with passkeys, in software: makes and proves them as WebAuthn Level 3 says (6.1, 6.5, 7.1, 7.2)."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40  # flags of authenticator data


@dataclass
class Authenticator:
    """One device with one passkey.  `counts`: whether it counts its signatures; `verifies`: whether it knows its owner."""

    origin: str = "http://localhost"
    rp_id: str = "localhost"
    verifies: bool = True
    counts: bool = True
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(20))
    handle: bytes = b""
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> str:
        """The answer to options of a registration."""
        self.handle = base64url_to_bytes(options["user"]["id"])
        told = self._client_data("webauthn.create", options["challenge"])
        public = self._key.public_key().public_numbers()
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)})
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + key
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(NEW) + attested}
        return self._answer({"clientDataJSON": told, "attestationObject": cbor2.dumps(attestation)})

    def prove(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to options of an authentication; `changes` to what the browser tells the device."""
        told = self._client_data("webauthn.get", options["challenge"], **changes)
        data = self._data(0)
        signature = self._key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": told, "authenticatorData": data, "signature": signature}
        return self._answer(response | ({"userHandle": self.handle} if self.handle else {}))

    def _client_data(self, ceremony: str, asked: str, **changes: Any) -> bytes:
        return json.dumps({"type": ceremony, "challenge": asked, "origin": self.origin} | changes).encode()

    def _data(self, flags: int) -> bytes:
        self.count += self.counts
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _answer(self, response: dict[str, bytes]) -> str:
        name = bytes_to_base64url(self.credential_id)
        told = {part: bytes_to_base64url(value) for part, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
