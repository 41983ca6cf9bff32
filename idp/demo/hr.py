"""HR's side of the demo: orders signed with its own Ed25519 key (Standard Webhooks, scheme `v1a`)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from idp.clock import Clock

SAMPLES = ("hire", "transfer", "dismissal_v1")


@dataclass(frozen=True)
class Hr:
    """The sender `shnet`: its key, and where it sends."""

    key: Ed25519PrivateKey
    base_url: str
    clock: Clock

    @property
    def public_key(self) -> str:
        """What the service's settings know of it."""
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return "whpk_" + base64.b64encode(raw).decode()

    def send(self, body: bytes, **headers: str) -> httpx2.Response:
        """Deliver one order version; `headers` replace what would be sent."""
        signed = self._signed(body) | {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.post(f"{self.base_url}/api/hr/v1/orders", content=body, headers=signed, timeout=10)

    def _signed(self, body: bytes) -> dict[str, str]:
        message_id, stamp = f"msg_{uuid4().hex}", str(int(self.clock.now().timestamp()))
        signature = base64.b64encode(self.key.sign(f"{message_id}.{stamp}.".encode() + body)).decode()
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1a,{signature}",
        }


def sample(name: str) -> bytes:
    """The bytes of a sample order, as HR would send them."""
    return (resources.files("idp.demo") / "orders" / f"{name}.json").read_bytes()


def changed(name: str, **values: Any) -> bytes:
    """A sample with some top-level fields replaced (None: taken out)."""
    body: Mapping[str, Any] = json.loads(sample(name)) | values
    return json.dumps({key: value for key, value in body.items() if value is not None}, ensure_ascii=False).encode()


def key_in(file: Path) -> Ed25519PrivateKey:
    """HR's private key, made on first use."""
    if not file.exists():
        file.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
        file.chmod(0o600)
    return Ed25519PrivateKey.from_private_bytes(file.read_bytes())
