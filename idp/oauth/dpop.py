"""Proofs of possession (RFC 9449): a JWT made for one request, which shows that its sender holds a key.

Owns what a proof must say, and the server's nonces.  Who must send one, and what it means for a token, is for
`confirmation.py`.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from idp.flows.here import Here
from idp.flows.spent_jti import spend_jti
from idp.jose import open_jws, read_jwk, read_jws
from idp.oauth.errors import OAuthError
from idp.service import Service
from policies.registration import SIGNATURES

HEADER = "DPoP"
NONCE_HEADER = "DPoP-Nonce"
TYPE = "dpop+jwt"
OLDEST = 60  # seconds since `iat`
SKEW = 10  # seconds that `iat` may lie ahead
LONGEST = 8_192  # characters
NONCE_WINDOW = 150  # seconds; a nonce holds in its own window and in the one after
INVALID = OAuthError("invalid_dpop_proof", "the DPoP proof can't be accepted")
NONCE_NEEDED = OAuthError("use_dpop_nonce", "the DPoP proof needs the nonce that comes with this answer")
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof is for: the request, and the access token that comes with it, None where none does."""

    method: str
    url: str
    access_token: str | None = None
    nonce_needed: bool = False
    algorithms: Collection[str] = SIGNATURES


def read_proof(here: Here, proof: str, expected: Expected) -> str | OAuthError:
    """The thumbprint of the key whose holder sent this request (RFC 7638), or why the proof does not hold (RFC 9449,
    4.3).  `proof` is the header as it came; two headers arrive as one with a comma, which no JWT has."""
    unverified = read_jws(proof, LONGEST)
    key = read_jwk(unverified.header.get("jwk")) if unverified else None
    if unverified is None or key is None:
        return INVALID
    claims = open_jws(unverified, key, expected.algorithms, (TYPE,))
    if claims is None or not _fits(claims, expected) or not _is_timely(claims.get("iat"), here.now.timestamp()):
        return INVALID
    if not _is_with_nonce(here, claims, expected.nonce_needed):
        return NONCE_NEEDED
    jkt = key.thumbprint()
    until = datetime.fromtimestamp(claims["iat"] + OLDEST + 1, UTC)
    return jkt if spend_jti("dpop", jkt, claims.get("jti"), until, here.now) else INVALID


def lacks_nonce(here: Here, proof: str) -> bool:
    """Whether a proof, whoever made it, comes without a nonce of ours."""
    unverified = read_jws(proof, LONGEST)
    return unverified is not None and not _is_with_nonce(here, unverified.claims, needed=True)


def current_nonce(service: Service, now: datetime) -> str:
    """The nonce that proofs should carry from now on; it follows from our key and the time, nothing is stored."""
    return _nonce(service, int(now.timestamp()) // NONCE_WINDOW)


def _fits(claims: Mapping[str, Any], expected: Expected) -> bool:
    """Whether the proof is for this request and this token (RFC 9449, 4.3, points 8, 9 and 12)."""
    if claims.get("htm") != expected.method or not _is_same_place(claims.get("htu"), expected.url):
        return False
    if expected.access_token is None:
        return True
    hashed = base64.urlsafe_b64encode(hashlib.sha256(expected.access_token.encode()).digest()).rstrip(b"=").decode()
    return isinstance(claims.get("ath"), str) and hmac.compare_digest(claims["ath"].encode(), hashed.encode())


def _is_same_place(said: Any, url: str) -> bool:
    """Without query and fragment; host in any case, a default port said or not (RFC 9449, 4.3; RFC 3986, 6.2)."""
    if said == url:
        return True
    try:
        return isinstance(said, str) and _place(said) == _place(url)
    except ValueError:
        return False


def _place(url: str) -> tuple[str, str | None, int | None, str, bool]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme), parts.path or "/", "@" in parts.netloc


def _is_timely(issued: Any, now: float) -> bool:
    is_moment = isinstance(issued, int | float) and not isinstance(issued, bool)
    return is_moment and now - OLDEST <= issued <= now + SKEW


def _is_with_nonce(here: Here, claims: Mapping[str, Any], needed: bool) -> bool:
    """A nonce is ours and recent; without one a proof holds where none is needed (RFC 9449, 8)."""
    nonce = claims.get("nonce")
    if nonce is None:
        return not needed
    window = int(here.now.timestamp()) // NONCE_WINDOW
    ours = [_nonce(here.service, number) for number in (window, window - 1)]
    return isinstance(nonce, str) and any(hmac.compare_digest(nonce.encode(), one.encode()) for one in ours)


def _nonce(service: Service, window: int) -> str:
    return service.vault.fingerprint(f"dpop-nonce\n{window}")[:32]
