"""JOSE: checking what was signed, reading keys from outside, encrypting for a client (RFC 7515 to 7519, 7638, 8725).

Owns the one function that verifies a signature, the lists of what is allowed, and the bounds.  Leaves alone our own
keys (`flows/signing_keys.py`), fetching keys, and what claims say: `iss`, `aud`, `exp`, `nbf`, `iat` and `jti` are the
caller's to check.  A claim of an `Unverified` proves nothing; it only says which keys to look for.
"""

import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from functools import partial
from hashlib import sha256, sha512
from typing import Any, NamedTuple, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

ASYMMETRIC = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
SHORTEST_SECRET = {"HS256": 32, "HS384": 48, "HS512": 64}  # bytes; RFC 7518, 3.2
LONGEST_TOKEN = 16_384  # characters
RSA_BITS = range(2048, 8193)
LONGEST_EXPONENT = 11  # characters of base64url: 64 bits; a longer one only makes each check slow
MOST_KEYS = 20
LONGEST_MEMBER = 1_400  # characters of base64url; the modulus of the largest RSA key has 1,366

ENCRYPTION_ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
CONTENT_ENCRYPTIONS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")

REFUSED_HEADERS = frozenset({"crit", "b64", "zip"})  # nothing critical is understood here, nothing is unpacked
PUBLIC_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "X25519")}

_models = {name: JWSRegistry.algorithms[name] for name in (*ASYMMETRIC, *SHORTEST_SECRET)}
_encryptions = JWERegistry(algorithms=(*ENCRYPTION_ALGORITHMS, *CONTENT_ENCRYPTIONS))
_ecdsa = ec.ECDSA(SHA256())


class Unverified(NamedTuple):
    """A JWS taken apart and not checked: `signed` is what the signature covers."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def open_jws(
    token: str | Unverified,
    keys: KeySet | Key,
    algorithms: Collection[str],
    types: Collection[str | None],
    *,
    longest: int = LONGEST_TOKEN,
) -> dict[str, Any] | None:
    """The claims of a compact JWS that one of `keys` signed, or None when it is not acceptable; why is not told.

    `algorithms` are those allowed for this use; an HMAC counts only where it is listed and the key is symmetric, so
    that no public key is ever taken for a secret (RFC 8725, 3.1, 3.2).  `types` are the allowed values of `typ`, None
    where it may be missing (3.11).  A key is chosen by `kid`, or, where the token names none, among those that fit;
    keys or addresses of keys in the header are not looked at (3.10).
    """
    unverified = read_jws(token, longest) if isinstance(token, str) else token
    if unverified is None:
        return None
    header = unverified.header
    if header["alg"] not in algorithms or _type(header.get("typ")) not in {_type(value) for value in types}:
        return None
    candidates = _candidates(keys, header.get("kid"))
    return unverified.claims if any(_verifies(key, header["alg"], unverified) for key in candidates) else None


def read_jws(token: str, longest: int = LONGEST_TOKEN) -> Unverified | None:
    """A compact JWS of JSON claims taken apart, to learn whose keys it needs; None when it is no such thing."""
    if len(token) > longest or not token.isascii():
        return None
    parts = token.encode().split(b".")
    if len(parts) != 3:
        return None
    try:
        header, claims, signature = _json_object(parts[0]), _json_object(parts[1]), urlsafe_b64decode(parts[2])
    except (ValueError, RecursionError):
        return None
    if REFUSED_HEADERS & header.keys() or not all(isinstance(header.get(name, ""), str) for name in ("typ", "kid")):
        return None
    if not isinstance(header.get("alg"), str):
        return None
    return Unverified(header, claims, parts[0] + b"." + parts[1], signature)


def signer(key: Key, algorithm: str) -> Callable[[bytes], bytes]:
    """What signs with a private `key`, prepared for being called often."""
    if algorithm == "ES256" and isinstance(key, ECKey) and key.private_key is not None:
        return partial(_sign_p256, key.private_key)  # joserfc's way takes half as long again
    return partial(_models[algorithm].sign, key=key)


def half_hash(value: str, algorithm: str) -> str:
    """The left half of the hash of `value` that goes with `algorithm` (OIDC Core, 3.1.3.6: at_hash, c_hash, s_hash).

    With EdDSA over Ed25519 it is SHA-512, which that signs with; with all others that we sign with SHA-256.
    """
    digest = (sha512 if algorithm == "EdDSA" else sha256)(value.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def encrypt_jwt(content: str | bytes, key: Key, alg: str, enc: str, cty: str | None = "JWT") -> str:
    """`content` as a compact JWE for the holder of `key` (RFC 7516); `cty` «JWT» says that a signed JWT is inside.

    `key` comes from `choose_encryption_key`; `alg` and `enc` are of the two lists above.
    """
    header = {"alg": alg, "enc": enc, "cty": cty, "kid": _stated_kid(key)}
    return encrypt_compact(
        {name: value for name, value in header.items() if value}, content, key, registry=_encryptions
    )


def choose_encryption_key(keys: KeySet, alg: str) -> Key | None:
    """The first of a client's keys that may be encrypted to with `alg`; None when there is none."""
    return next((key for key in keys if _encrypts(key, alg)), None)


def read_jwks(document: object) -> KeySet | str:
    """The public keys of a JWK Set from outside; or, as text, why it can't be used.

    Keys that we have no use for are skipped (RFC 7517, 5).  A secret in it spoils the whole set: somebody published it.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        return "is not a JWK Set"
    if len(keys) > MOST_KEYS:
        return f"has more than {MOST_KEYS} keys"
    if any(isinstance(key, Mapping) and PRIVATE_MEMBERS & key.keys() for key in keys):
        return "holds a private or symmetric key"
    usable = [key for key in map(read_jwk, keys) if key is not None]
    return KeySet(usable) if usable else "has no key that can be used"


def read_jwk(value: object) -> Key | None:
    """A public key from outside, such as that of a DPoP proof; None when it is secret, weak, unknown or malformed.

    Only members that we know are taken over: certificates and addresses in it are not looked at.
    """
    if not isinstance(value, Mapping) or PRIVATE_MEMBERS & value.keys() or not _is_in_bounds(value):
        return None
    members = (*PUBLIC_MEMBERS[value["kty"]], "kty", "use", "key_ops", "alg", "kid")
    try:
        return import_key({name: value[name] for name in members if name in value})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key (RFC 7638, 3).  Raises ValueError where `read_jwk` gives None."""
    key = read_jwk(jwk)
    if key is None:
        raise ValueError("not a public key that can be used")
    return key.thumbprint()


# --- verifying


def _candidates(keys: KeySet | Key, kid: str | None) -> list[Key]:
    """The keys that a token naming `kid` may be signed with; a lone key need not have a name of its own."""
    if isinstance(keys, KeySet):
        return [key for key in keys if kid is None or key.kid == kid]
    return [keys] if kid is None or _stated_kid(keys) in (None, kid) else []


def _verifies(key: Key, algorithm: str, unverified: Unverified) -> bool:
    model = _models.get(algorithm)
    try:
        if model is None or not _is_strong(key, algorithm):
            return False
        model.check_key(key)  # type, curve, and what the key itself says it is for
        return model.verify(unverified.signed, unverified.signature, key)
    except (JoseError, ValueError, TypeError):
        return False


def _is_strong(key: Key, algorithm: str) -> bool:
    """Long enough for `algorithm`, whoever made the key."""
    if isinstance(key, OctKey):
        return len(key.raw_value) >= SHORTEST_SECRET.get(algorithm, math.inf)
    if isinstance(key, RSAKey):
        return key.raw_value.key_size in RSA_BITS
    return not isinstance(key, OKPKey) or key.curve_name == "Ed25519"


def _type(value: str | None) -> str | None:
    """A media type as it is compared: without case and without «application/» (RFC 7515, 4.1.9)."""
    return value and value.lower().removeprefix("application/")


def _stated_kid(key: Key) -> str | None:
    """The name that the owner gave to a key; a KeySet gives names of its own to those without."""
    stated = key.original_value
    return stated.get("kid") if isinstance(stated, dict) else key.kid


# --- signing


def _sign_p256(key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, _ecdsa))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- reading


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("not a number of JSON (RFC 8259, 6)")


def _finite(digits: str) -> float:
    """A number that can be compared: 1e999 is infinite, and so later than any other time."""
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def _json_object(segment: bytes) -> dict[str, Any]:
    """A JSON object in base64url.  Raises ValueError when it is anything else, or holds what no database takes."""
    text = urlsafe_b64decode(segment).decode()
    value = _decoder.decode(text)
    if not isinstance(value, dict) or "\\u0000" in text:
        raise ValueError("not an object, or with a NUL in it")
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair: a UnicodeEncodeError is a ValueError
    return value


def _is_in_bounds(jwk: Mapping[Any, Any]) -> bool:
    """Whether a key is of a type, curve and size worth importing."""
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in PUBLIC_MEMBERS:
        return False
    values = [jwk.get(name) for name in (*PUBLIC_MEMBERS[kty], "kid") if name != "kid" or "kid" in jwk]
    if not all(isinstance(value, str) and 0 < len(value) <= LONGEST_MEMBER for value in values):
        return False
    if kty != "RSA":
        return jwk["crv"] in CURVES[kty]
    try:
        modulus = int.from_bytes(urlsafe_b64decode(jwk["n"].encode()), "big")
    except ValueError:
        return False
    return modulus.bit_length() in RSA_BITS and len(jwk["e"]) <= LONGEST_EXPONENT


# --- encrypting


def _encrypts(key: Key, alg: str) -> bool:
    is_rsa = alg.startswith("RSA")
    if not isinstance(key, RSAKey if is_rsa else ECKey | OKPKey) or isinstance(key, OctKey):
        return False
    if isinstance(key, OKPKey) and key.curve_name != "X25519":
        return False
    try:
        key.check_use("enc")
        key.check_alg(alg)
        key.check_key_op("encrypt" if is_rsa else "deriveKey")
    except JoseError:
        return False
    return True
