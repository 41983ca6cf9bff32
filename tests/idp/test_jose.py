"""What others signed, the keys they publish, and what is encrypted for them."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe, jws
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from idp.jose import (
    ASYMMETRIC,
    CONTENT_ENCRYPTIONS,
    ENCRYPTION_ALGORITHMS,
    choose_encryption_key,
    encrypt_jwt,
    half_hash,
    open_jws,
    read_jwk,
    read_jwks,
    read_jws,
    signer,
    thumbprint,
)

RSA, OTHER_RSA = RSAKey.generate_key(2048, auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
P256, P384, P521 = (ECKey.generate_key(curve, auto_kid=True) for curve in ("P-256", "P-384", "P-521"))
ED, X25519 = (OKPKey.generate_key(curve, auto_kid=True) for curve in ("Ed25519", "X25519"))
SECRET = OctKey.import_key("a secret of a client that is long enough for all three hash sizes")
CLAIMS = {"iss": "client", "aud": "https://id.example.org", "n": 1}
KEYS: dict[str, Key] = {
    "RS256": RSA, "RS384": RSA, "RS512": RSA, "PS256": RSA, "PS384": RSA, "PS512": RSA, "ES256": P256, "ES384": P384,
    "ES512": P521, "EdDSA": ED, "Ed25519": ED, "HS256": SECRET, "HS384": SECRET, "HS512": SECRET,
}  # fmt: skip
BY_RSA, BY_OTHER = signer(RSA, "RS256"), signer(OTHER_RSA, "RS256")


def part(value: Any) -> bytes:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(content).rstrip(b"=")


def signed(header: Any, claims: Any = CLAIMS, signs: Callable[[bytes], bytes] = BY_RSA) -> str:
    """A compact JWS as somebody makes it who follows no rules."""
    content = part(header) + b"." + part(claims)
    return (content + b"." + part(signs(content))).decode()


def public(key: Key, **members: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **members}


def opened(token: str, keys: KeySet | Key = RSA, algorithms: tuple[str, ...] = ("RS256",)) -> dict[str, Any] | None:
    return open_jws(token, keys, algorithms, ("client-auth+jwt", None))


# --- what is accepted


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_opens_with_the_algorithm_that_is_allowed_and_with_no_other(algorithm: str) -> None:
    key = KEYS[algorithm]
    token = signed({"alg": algorithm}, signs=signer(key, algorithm))
    verifying = key if isinstance(key, OctKey) else read_jwk(public(key))
    assert verifying is not None
    assert opened(token, verifying, (algorithm,)) == CLAIMS
    assert opened(token, verifying, tuple(set(KEYS) - {algorithm})) is None


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_our_signatures_are_what_another_library_takes(algorithm: str) -> None:
    token = signed({"alg": algorithm}, signs=signer(KEYS[algorithm], algorithm))
    assert json.loads(jws.deserialize_compact(token, KEYS[algorithm], [algorithm]).payload) == CLAIMS


@pytest.mark.parametrize("typ", ["client-auth+jwt", "CLIENT-AUTH+JWT", "application/client-auth+jwt", None])
def test_a_type_is_compared_as_a_media_type(typ: str | None) -> None:
    assert opened(signed({"alg": "RS256"} | ({"typ": typ} if typ else {}))) == CLAIMS


def test_a_long_header_is_no_reason_to_refuse() -> None:
    """As a DPoP proof by an RSA key has it (RFC 9449, 4.2)."""
    token = signed({"alg": "RS256", "jwk": public(RSA), "x-unknown": "is ignored (RFC 7515, 4)"})
    assert len(token.partition(".")[0]) > 512
    assert opened(token) == CLAIMS


def test_a_key_is_chosen_by_its_name_or_by_what_fits() -> None:
    keys = read_jwks({"keys": [public(P256), public(OTHER_RSA, use="enc"), public(RSA, alg="RS256")]})
    assert isinstance(keys, KeySet)
    assert opened(signed({"alg": "RS256", "kid": RSA.kid}), keys) == CLAIMS
    assert opened(signed({"alg": "RS256"}), keys) == CLAIMS
    assert opened(signed({"alg": "RS256", "kid": OTHER_RSA.kid}), keys) is None
    assert opened(signed({"alg": "RS256", "kid": "unknown"}), keys) is None


def test_a_key_is_used_for_nothing_but_what_it_says() -> None:
    for members in ({"use": "enc"}, {"alg": "PS256"}, {"key_ops": ["encrypt"]}):
        keys = read_jwks({"keys": [public(RSA, **members)]})
        assert isinstance(keys, KeySet)
        assert opened(signed({"alg": "RS256"}), keys) is None, members


# --- what is refused


def mac(key: bytes) -> Callable[[bytes], bytes]:
    return lambda content: hmac.new(key, content, hashlib.sha256).digest()


PEM = RSA.raw_value.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HOSTILE = {
    "no algorithm": signed({"alg": "none"}, signs=lambda _: b""),
    "no algorithm, otherwise written": signed({"alg": "None"}, signs=lambda _: b""),
    "no algorithm, with a signature": signed({"alg": "none"}),
    "algorithm missing": signed({}),
    "algorithm not a text": signed({"alg": ["RS256"]}),
    "another algorithm of the same key": signed({"alg": "PS256"}, signs=signer(RSA, "PS256")),
    "a MAC with the public key as PEM": signed({"alg": "HS256"}, signs=mac(PEM)),
    "a MAC with the public key as JWK": signed({"alg": "HS256"}, signs=mac(json.dumps(public(RSA)).encode())),
    "a MAC with nothing": signed({"alg": "HS256"}, signs=mac(b"")),
    "its own key": signed({"alg": "RS256", "jwk": public(OTHER_RSA)}, signs=BY_OTHER),
    "its own key under our name": signed({"alg": "RS256", "kid": RSA.kid, "jwk": public(OTHER_RSA)}, signs=BY_OTHER),
    "the address of its own key": signed({"alg": "RS256", "jku": "https://evil.example/keys"}, signs=BY_OTHER),
    "its own certificate": signed({"alg": "RS256", "x5c": ["MII="], "x5u": "https://evil.example"}, signs=BY_OTHER),
    "something critical": signed({"alg": "RS256", "crit": ["exp"], "exp": 1}),
    "nothing critical": signed({"alg": "RS256", "crit": []}),
    "a payload not encoded": signed({"alg": "RS256", "crit": ["b64"], "b64": False}),
    "a payload not encoded, not critical": signed({"alg": "RS256", "b64": False}),
    "something packed": signed({"alg": "RS256", "zip": "DEF"}),
    "a wrong type": signed({"alg": "RS256", "typ": "at+jwt"}),
    "an empty type": signed({"alg": "RS256", "typ": ""}),
    "a type that is not a text": signed({"alg": "RS256", "typ": 1}),
    "a name that is not a text": signed({"alg": "RS256", "kid": {}}),
    "too long": signed({"alg": "RS256"}, {"padding": "x" * 16_384}),
    "claims that are a list": signed({"alg": "RS256"}, [CLAIMS]),
    "claims that are no JSON": signed({"alg": "RS256"}, b"claims"),
    "claims in UTF-16": signed({"alg": "RS256"}, json.dumps(CLAIMS).encode("utf-16")),
    "claims nested too deep": signed({"alg": "RS256"}, b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "no number": signed({"alg": "RS256"}, b'{"exp":NaN}'),
    "no end": signed({"alg": "RS256"}, b'{"exp":Infinity}'),
    "no end, as a number": signed({"alg": "RS256"}, b'{"exp":1e999}'),
    "a number longer than numbers are": signed({"alg": "RS256"}, b'{"exp":' + b"9" * 5_000 + b"}"),
    "half a character": signed({"alg": "RS256"}, b'{"jti":"\\ud800"}'),
    "a NUL": signed({"alg": "RS256"}, b'{"jti":"\\u0000"}'),
    "an empty signature": signed({"alg": "RS256"}, signs=lambda _: b""),
    "nothing": "",
    "dots": "..",
    "another script": signed({"alg": "RS256"}) + "я",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_token_is_refused(kind: str) -> None:
    keys = KeySet([RSA])
    assert opened(HOSTILE[kind]) is None
    assert opened(HOSTILE[kind], keys) is None
    assert opened(HOSTILE[kind], keys, ("RS256", "HS256", "none")) is None


def test_every_change_of_a_token_is_noticed() -> None:
    token = signed({"alg": "RS256"})
    head, claims, signature = token.split(".")
    other = part(CLAIMS | {"n": 2}).decode()
    changed = [
        *(token[:length] for length in range(0, len(token), 7)),
        f"{head}.{other}.{signature}", f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims}", f"{token}.",
        f"{token}.{signature}", f"{token}=", f" {token}", f"{head}.{claims}.{signature[:-4]}AAAA",
    ]  # fmt: skip
    assert opened(token) == CLAIMS
    assert [changed_token for changed_token in changed if opened(changed_token) is not None] == []


@pytest.mark.parametrize(("algorithm", "shortest"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_shorter_than_its_hash_opens_nothing(algorithm: str, shortest: int) -> None:
    for length in (16, shortest - 1, shortest):
        key = OctKey.import_key(b"s" * length)
        token = signed({"alg": algorithm}, signs=signer(key, algorithm))
        assert (opened(token, key, (algorithm,)) == CLAIMS) is (length >= shortest)


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_opens_nothing_wherever_it_comes_from() -> None:
    weak = RSAKey.generate_key(1024)
    assert opened(signed({"alg": "RS256"}, signs=signer(weak, "RS256")), weak) is None
    assert read_jwks({"keys": [public(weak)]}) == "has no key that can be used"


def test_a_secret_does_not_stand_in_for_a_public_key() -> None:
    token = signed({"alg": "RS256"})
    assert opened(token, SECRET, ("RS256", "HS256")) is None
    assert opened(signed({"alg": "HS256"}, signs=signer(SECRET, "HS256")), SECRET, ASYMMETRIC) is None


def test_what_is_read_before_the_check_is_checked_all_the_same() -> None:
    forged = read_jws(signed({"alg": "RS256"}, CLAIMS | {"iss": "other"}, signs=BY_OTHER))
    assert forged is not None
    assert forged.claims["iss"] == "other"
    assert open_jws(forged, RSA, ("RS256",), (None,)) is None


# --- keys from outside


def test_a_key_set_is_read_without_what_is_of_no_use() -> None:
    of_no_use: list[Any] = [
        None, {}, "key", {"kty": "oct"}, {"kty": "AKP", "pub": "AA"}, {"kty": ["RSA"]}, {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"}, public(RSA, e="AAAA" * 9), public(RSA, e="Ag"), public(RSA, n="!"),
        public(RSA, n="A" * 1_401), public(RSA, kid=7), public(RSA, kid="k" * 1_401), public(RSA, use="both"),
        public(P256, crv="P-384"), public(P256, x=P384.as_dict()["x"]), public(P256, crv="secp256k1"),
        public(OKPKey.generate_key("Ed448")), public(ED, x="AA"),
    ]  # fmt: skip
    assert [key for key in of_no_use if read_jwk(key) is not None] == []
    for at in range(0, len(of_no_use), 10):
        keys = read_jwks({"keys": [*of_no_use[at : at + 10], public(RSA), public(X25519, x5c=["MII="])]})
        assert isinstance(keys, KeySet)
        assert [key.kid for key in keys] == [RSA.kid, X25519.kid]
        assert not any("x5c" in key.as_dict() for key in keys)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "is not a JWK Set"),
        ([], "is not a JWK Set"),
        ({}, "is not a JWK Set"),
        ({"keys": {}}, "is not a JWK Set"),
        ({"keys": []}, "has no key that can be used"),
        ({"keys": [public(RSA)] * 21}, "has more than 20 keys"),
        ({"keys": [public(RSA), P256.as_dict(private=True)]}, "holds a private or symmetric key"),
        ({"keys": [public(RSA), SECRET.as_dict(private=True)]}, "holds a private or symmetric key"),
        ({"keys": [{"kty": "oct"}]}, "has no key that can be used"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_answered_with_the_reason(document: Any, reason: str) -> None:
    assert read_jwks(document) == reason


def test_the_thumbprint_is_the_one_of_the_standard() -> None:
    """RFC 7638, 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok"
        "njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu"
        "6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
        "wapJzKnqDKgw"
    )
    key = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("key", [RSA.as_dict(private=True), SECRET.as_dict(private=True), {}, public(ED, x="AA")])
def test_a_private_or_broken_key_has_no_thumbprint(key: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        thumbprint(key)


# --- hashes and encryption


def test_half_of_the_hash_that_goes_with_the_algorithm() -> None:
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert half_hash(token, "RS256") == half_hash(token, "ES256") == "77QmUPtjPfzWtF2AnpK9RQ"  # OIDC Core, A.3
    assert urlsafe_b64decode(half_hash(token, "EdDSA").encode()) == hashlib.sha512(token.encode()).digest()[:32]


@pytest.mark.parametrize("alg", ENCRYPTION_ALGORITHMS)
@pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
def test_a_token_encrypted_for_a_client_opens_with_its_key_alone(alg: str, enc: str) -> None:
    inner = signed({"alg": "RS256"})
    for own in (RSA,) if alg.startswith("RSA") else (P256, P521, X25519):
        keys = read_jwks({"keys": [public(OTHER_RSA, use="sig"), public(ED), public(own, use="enc")]})
        assert isinstance(keys, KeySet)
        key = choose_encryption_key(keys, alg)
        assert key is not None
        opened_token = jwe.decrypt_compact(encrypt_jwt(inner, key, alg, enc), own, algorithms=[alg, enc])
        assert opened_token.plaintext == inner.encode()
        assert opened_token.headers()["cty"] == "JWT"
        assert opened_token.headers()["kid"] == own.kid
        assert "zip" not in opened_token.headers()


@pytest.mark.parametrize("members", [{"use": "sig"}, {"alg": "RSA-OAEP-256"}, {"key_ops": ["verify"]}])
def test_nothing_is_encrypted_with_a_key_that_is_not_for_it(members: dict[str, Any]) -> None:
    keys = read_jwks({"keys": [public(RSA, **members), public(ED)]})
    assert isinstance(keys, KeySet)
    assert choose_encryption_key(keys, "RSA-OAEP") is None
    assert choose_encryption_key(keys, "ECDH-ES") is None


def test_a_key_without_a_name_is_not_given_one() -> None:
    nameless = {name: value for name, value in public(X25519).items() if name != "kid"}
    keys = read_jwks({"keys": [nameless]})
    assert isinstance(keys, KeySet)
    [key] = keys
    token = encrypt_jwt("{}", key, "ECDH-ES", "A128GCM", cty=None)
    header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    assert set(header) == {"alg", "enc", "epk"}
