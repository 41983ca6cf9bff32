"""How a client reads what the provider signed and encrypted: with a library of its own, against the published keys."""

import warnings
from typing import Any

from joserfc import jwe, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from idp.jose import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS
from tests.idp.oauth.driver import Party

REGISTRY = jwe.JWERegistry(algorithms=[*ENCRYPTION_ALGORITHMS, *CONTENT_ENCRYPTIONS])


def read_signed(party: Party, token: str, algorithm: str) -> dict[str, Any]:
    """The claims of a JWT that the provider signed with `algorithm`; fails when the signature does not hold."""
    published = party.browser().get("/oauth/jwks", base_url=party.base).get_json()
    with warnings.catch_warnings():  # RFC 9864 would have it called Ed25519, which few clients know yet
        warnings.simplefilter("ignore", SecurityWarning)
        read = jwt.decode(token, KeySet.import_key_set(published), [algorithm])
    assert read.header["alg"] == algorithm
    return dict(read.claims)


def decrypted(token: str, key: Key) -> str:
    """What is inside a compact JWE for the holder of `key`; it says of itself that it is a JWT."""
    found = jwe.decrypt_compact(token, key, registry=REGISTRY)
    assert found.protected["cty"] == "JWT"
    assert found.plaintext is not None
    return found.plaintext.decode()


def encryption_keys() -> dict[str, Key]:
    """A key for each kind of encryption a client may register."""
    return {
        "RSA-OAEP": RSAKey.generate_key(2048, {"use": "enc", "kid": "rsa"}),
        "ECDH-ES": ECKey.generate_key("P-256", {"use": "enc", "kid": "ec"}),
    }
