"""What clients make to prove themselves: assertions and DPoP proofs, right ones and spoiled ones."""

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from idp.oauth.client_assertion import ASSERTION_TYPE
from tests.idp.oauth.driver import Party, Registered


def new_keys() -> dict[str, Key]:
    """A key for each algorithm a client may sign with."""
    rsa = RSAKey.generate_key(2048)
    return {
        "ES256": ECKey.generate_key("P-256"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
        "RS256": rsa,
        "PS256": rsa,
    }


def jwks(*keys: Key) -> dict[str, Any]:
    """The public halves, as a client publishes them."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def sign(claims: dict[str, Any], key: Key | bytes, **header: Any) -> str:
    """A compact JWS, whatever it says; values of None are left out.  Bytes as key make an HMAC."""
    signed = f"{_part(header)}.{_part(claims)}"
    if isinstance(key, bytes):
        signature = hmac.digest(key, signed.encode(), "sha256")
    else:
        signature = JWSRegistry.algorithms[header["alg"]].sign(signed.encode(), key)
    return f"{signed}.{_encoded(signature)}"


class Prover:
    """Makes the proofs of one client; `spoiled` values replace the right ones, None takes a claim out."""

    def __init__(self, party: Party, key: Key | None = None, algorithm: str = "ES256") -> None:
        self.party, self.algorithm = party, algorithm
        self.key: Key = key or ECKey.generate_key("P-256")
        self.jkt = self.key.thumbprint()

    @property
    def now(self) -> int:
        return int(self.party.make.clock.now().timestamp())

    def assertion(
        self, client: Registered, key: Key | bytes | None = None, header: dict[str, Any] | None = None, **spoiled: Any
    ) -> str:
        claims = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": self.party.base,
            "exp": self.now + 60,
            "iat": self.now,
            "jti": uuid4().hex,
        } | spoiled
        return sign(claims, key or self.key, **{"alg": self.algorithm, **(header or {})})

    def proof(
        self, path: str = "/oauth/token", method: str = "POST", header: dict[str, Any] | None = None, **spoiled: Any
    ) -> str:
        claims = {"htm": method, "htu": self.party.base + path, "iat": self.now, "jti": uuid4().hex} | spoiled
        said = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False)} | (header or {})
        return sign(claims, self.key, **said)

    def asserts(self, client: Registered, assertion: str | None = None, **more: Any) -> dict[str, Any]:
        """The form fields by which the client proves itself."""
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(client),
        } | more

    def userinfo(self, token: str, proof: str | None = None, scheme: str = "DPoP") -> TestResponse:
        """The token under a scheme, with a proof where there is one."""
        headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof is not None else {})
        return self.party.app.test_client().get("/oauth/userinfo", base_url=self.party.base, headers=headers)

    def proof_for(self, token: str, **spoiled: Any) -> str:
        """A proof for the userinfo endpoint with this token."""
        return self.proof("/oauth/userinfo", "GET", **({"ath": ath(token)} | spoiled))


def ath(token: str) -> str:
    return _encoded(hashlib.sha256(token.encode()).digest())


def _part(values: dict[str, Any]) -> str:
    return _encoded(json.dumps({name: value for name, value in values.items() if value is not None}).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
