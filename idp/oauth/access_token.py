"""Access tokens: signed JWTs of ten minutes (RFC 9068), made and read here only.

Owns their claims.  That a token is genuine does not mean its grant still stands: `standing.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from idp.flows.signing_keys import sign, verify
from idp.service import Service

TYPE = "at+jwt"  # RFC 9068, 2.1: what keeps ID tokens from being taken for access tokens


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A genuine access token; `grant_id` is None when the client got it for itself."""

    sub: str
    client_id: str
    scope: frozenset[str]
    grant_id: UUID | None


def issue_access_token(
    service: Service, now: datetime, sub: str, client_id: str, scope: str, grant_id: UUID | None = None
) -> str:
    """A token for our own userinfo endpoint, and for those who take our tokens (RFC 9068, 2.2).

    `sub` is the account's, or the client's own name when nobody else is concerned; `scope` is blank-separated.
    """
    issued = int(now.timestamp())
    claims = {
        "iss": service.settings.base_url,
        "sub": sub,
        "aud": service.settings.base_url,
        "client_id": client_id,
        "scope": scope,
        "iat": issued,
        "exp": issued + _lifetime(service),
        "jti": str(uuid7()),
    }
    return sign(service, TYPE, claims if grant_id is None else {**claims, "grant": str(grant_id)})


def open_access_token(service: Service, token: str, now: datetime) -> AccessToken | None:
    """What a token says, or None when it is not a token of ours for us that is valid now (RFC 9068, 4)."""
    claims = verify(service, TYPE, token)
    issuer = service.settings.base_url
    if claims is None or claims.get("iss") != issuer or claims.get("aud") != issuer:
        return None
    if not claims["iat"] - 5 <= now.timestamp() < claims["exp"]:
        return None
    grant_id = UUID(claims["grant"]) if "grant" in claims else None
    return AccessToken(claims["sub"], claims["client_id"], frozenset(claims["scope"].split()), grant_id)


def bearer(service: Service, access_token: str, scope: str) -> dict[str, Any]:
    """The part that all token responses have (RFC 6749, 5.1); `scope` is what was given, maybe less than asked."""
    return {"access_token": access_token, "token_type": "Bearer", "expires_in": _lifetime(service), "scope": scope}


def _lifetime(service: Service) -> int:
    """Seconds an access token lives."""
    return int(service.profile.rules.tokens.access.total_seconds())
