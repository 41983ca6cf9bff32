"""Access tokens: signed JWTs of ten minutes (RFC 9068), made and read here only.

Owns their claims.  That a token is genuine does not mean its grant still stands: `standing.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from idp.flows.here import Here
from idp.flows.signing_keys import sign, verify
from idp.oauth.clients import RegisteredClient
from idp.service import Service

TYPE = "at+jwt"  # RFC 9068, 2.1: what keeps ID tokens from being taken for access tokens
SKEW = 5  # seconds that clocks of our own processes may differ


@dataclass(frozen=True, slots=True)
class Rights:
    """What a token gives its holder.  `sub` is the person as the client knows them, or the client's own name when
    nobody else is concerned; `scope` is blank-separated; an empty `audience` means our own endpoints.

    `actor` is who acts for the person (RFC 8693, 4.1).  `until` is a moment the token must not outlive.
    """

    sub: str
    scope: str
    grant_id: UUID | None = None
    audience: tuple[str, ...] = ()
    authorization_details: list[Any] | None = None
    authenticated_at: datetime | None = None
    actor: Mapping[str, Any] | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A genuine access token; `grant_id` is None when the client got it for itself.

    `confirmation` names the key or certificate whose holder alone may use it (RFC 7800); moments are seconds since 1970.
    """

    sub: str
    client_id: str
    scope: frozenset[str]
    grant_id: UUID | None
    audience: tuple[str, ...]
    confirmation: Mapping[str, str] | None
    authorization_details: list[Any] | None
    actor: Mapping[str, Any] | None
    issued_at: int
    expires_at: int
    jti: str


def issue_access_token(
    here: Here,
    client: RegisteredClient,
    rights: Rights,
    confirmation: Mapping[str, str] | None = None,
    *,
    issued_at: datetime | None = None,
    jti: UUID | None = None,
) -> str:
    """A token for our own endpoints and for those who take our tokens (RFC 9068, 2.2).

    With `issued_at` and `jti` of a token that was lost on its way, the same token again.
    """
    service = here.service
    issued = int((issued_at or here.now).timestamp())
    expires = issued + lifetime(service)
    optional = {
        "auth_time": rights.authenticated_at and int(rights.authenticated_at.timestamp()),
        "grant": rights.grant_id and str(rights.grant_id),
        "cnf": confirmation,
        "act": rights.actor,
        "authorization_details": rights.authorization_details,
    }
    claims = {
        "iss": service.settings.base_url,
        "sub": rights.sub,
        "aud": _audience(service, rights.audience),
        "client_id": client.client_id,
        "scope": rights.scope,
        "iat": issued,
        "exp": min(expires, int(rights.until.timestamp())) if rights.until else expires,
        "jti": str(jti or uuid7()),
        **{name: value for name, value in optional.items() if value},
    }
    return sign(service, TYPE, claims, client.metadata.access_token_signed_response_alg)


def open_access_token(service: Service, token: str, now: datetime) -> AccessToken | None:
    """What a token says, or None when it is not a token of ours that is valid now (RFC 9068, 4).

    Whom it is for is the caller's to look at.
    """
    claims = verify(service, TYPE, token)
    if claims is None or claims.get("iss") != service.settings.base_url:
        return None
    if not claims["iat"] - SKEW <= now.timestamp() < claims["exp"]:
        return None
    audience = claims["aud"]
    return AccessToken(
        sub=claims["sub"],
        client_id=claims["client_id"],
        scope=frozenset(claims["scope"].split()),
        grant_id=UUID(claims["grant"]) if "grant" in claims else None,
        audience=tuple(audience) if isinstance(audience, list) else (audience,),
        confirmation=claims.get("cnf"),
        authorization_details=claims.get("authorization_details"),
        actor=claims.get("act"),
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        jti=claims["jti"],
    )


def token_answer(
    service: Service, access_token: str, scope: str, confirmation: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The part that all token responses have (RFC 6749, 5.1; RFC 9449, 5); `scope` is what was given, maybe less than
    asked."""
    token_type = "DPoP" if confirmation and "jkt" in confirmation else "Bearer"
    return {"access_token": access_token, "token_type": token_type, "expires_in": lifetime(service), "scope": scope}


def lifetime(service: Service) -> int:
    """Seconds an access token lives."""
    return int(service.profile.rules.tokens.access.total_seconds())


def _audience(service: Service, audience: tuple[str, ...]) -> str | list[str]:
    """One as text, several as a list; none given means ourselves (RFC 9068, 3)."""
    if not audience:
        return service.settings.base_url
    return audience[0] if len(audience) == 1 else list(audience)
