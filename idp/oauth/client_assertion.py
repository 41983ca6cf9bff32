"""Clients that prove themselves by a JWT they made (RFC 7521; RFC 7523; OIDC Core, 9; FAPI 2.0 Security Profile, 5.3.2.1).

By a signature with their own key (`private_key_jwt`), or an HMAC keyed with their secret (`client_secret_jwt`).
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import Key, KeySet, OctKey

from idp.flows.here import Here
from idp.flows.register_client import secret_place
from idp.flows.spent_jti import spend_jti
from idp.jose import Unverified, open_jws, read_jws
from idp.oauth.client_keys import client_keys, named
from idp.oauth.clients import RegisteredClient
from idp.oauth.request_object import STRICT_ALGORITHMS
from policies.registration import SIGNATURES

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2
TYPES = ("client-authentication+jwt", "JWT", None)
SKEW = 10  # seconds that clocks may differ
LONGEST_LIFE = 300  # seconds from now to `exp`
OLDEST = 600  # seconds since `iat` or `nbf`


def client_of(assertion: str) -> str | None:
    """The client that an assertion claims to come from; this proves nothing."""
    unverified = read_jws(assertion)
    named = unverified.claims.get("sub") if unverified else None
    return named if isinstance(named, str) else None


def proves_by_assertion(here: Here, client: RegisteredClient, assertion: str, url: str) -> bool:
    """Whether `client` made this for us, for now, and for this one request; `url` is the endpoint that was asked."""
    unverified = read_jws(assertion)
    keys = _keys(here, client, unverified) if unverified else None
    claims = open_jws(unverified, keys, _algorithms(client), TYPES) if unverified and keys else None
    if claims is None or not claims.get("iss") == claims.get("sub") == client.client_id:
        return False
    if not _is_for_us(claims.get("aud"), _audiences(here, client, url), client.metadata.security_profile is not None):
        return False
    if not _is_timely(claims, here.now.timestamp()):
        return False
    until = datetime.fromtimestamp(claims["exp"] + SKEW, UTC)
    return spend_jti("client-assertion", client.client_id, claims.get("jti"), until, here.now)


def _keys(here: Here, client: RegisteredClient, unverified: Unverified) -> KeySet | Key | None:
    if client.metadata.token_endpoint_auth_method == "private_key_jwt":  # noqa: S105
        return client_keys(here.service, client, named(unverified.header.get("kid")))
    if client.secret is None:
        return None
    return OctKey.import_key(here.service.vault.open(client.secret, secret_place(client.client_id)))


def _algorithms(client: RegisteredClient) -> Collection[str]:
    """Those of its method, or the one it registered; a key is never taken for a secret (RFC 8725, 3.1)."""
    if client.metadata.token_endpoint_auth_method == "client_secret_jwt":  # noqa: S105
        return ("HS256",)
    allowed = STRICT_ALGORITHMS if client.metadata.security_profile else SIGNATURES
    registered = client.metadata.token_endpoint_auth_signing_alg
    return {registered} & set(allowed) if registered else allowed


def _audiences(here: Here, client: RegisteredClient, url: str) -> Collection[str]:
    """What may be meant by us: the issuer; ordinary clients still name the token endpoint, or the one they ask (RFC
    7523, 3; RFC 9126, 2)."""
    issuer = here.service.settings.base_url
    return (issuer,) if client.metadata.security_profile else (issuer, f"{issuer}/oauth/token", url)


def _is_for_us(audience: Any, ours: Collection[str], alone: bool) -> bool:
    """`alone`: the audience must be one text, so that it can't be meant for others too (FAPI 2.0, 5.3.2.1)."""
    if isinstance(audience, list) and not alone:
        return any(isinstance(one, str) and one in ours for one in audience)
    return isinstance(audience, str) and audience in ours


def _is_timely(claims: Mapping[str, Any], now: float) -> bool:
    """Short-lived, and not from another time (RFC 7523, 3)."""
    begins = [claims[name] for name in ("iat", "nbf") if name in claims]
    if not all(_is_moment(value) for value in (claims.get("exp"), *begins)):
        return False
    in_time: bool = now - SKEW < claims["exp"] <= now + LONGEST_LIFE + SKEW
    return in_time and all(now - OLDEST <= value <= now + SKEW for value in begins)


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
