"""ID tokens: what a client learns of a sign-in (OIDC Core, 2 and 3.1.3.6).  Claims about the person are userinfo's."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.flows.signing_keys import sign, verify
from idp.service import Service

TYPE = "JWT"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in, in which session, when; `nonce` binds it to the client's request (OIDC Core, 3.1.2.1)."""

    sub: str
    session_id: UUID
    authenticated_at: datetime
    nonce: str | None


def issue_id_token(service: Service, now: datetime, client_id: str, signed_in: SignIn, access_token: str) -> str:
    """The ID token that goes with `access_token`; `sid` names the browser session (Back-Channel Logout, 2.1)."""
    issued = int(now.timestamp())
    claims = {
        "iss": service.settings.base_url,
        "sub": signed_in.sub,
        "aud": client_id,
        "iat": issued,
        "exp": issued + int(service.profile.rules.tokens.id_token.total_seconds()),
        "auth_time": int(signed_in.authenticated_at.timestamp()),
        "sid": str(signed_in.session_id),
        "at_hash": half_hash(access_token),
    }
    nonce = {} if signed_in.nonce is None else {"nonce": signed_in.nonce}
    return sign(service, TYPE, {**claims, **nonce})


def read_hint(service: Service, token: str) -> dict[str, Any] | None:
    """The claims of an ID token of ours given back as a hint, however old; None when it is not ours."""
    claims = verify(service, TYPE, token)
    return claims if claims is not None and claims.get("iss") == service.settings.base_url else None


def half_hash(value: str) -> str:
    """The left half of the SHA-256 of `value` (OIDC Core, 3.1.3.6: at_hash with RS256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode("ascii")).digest()[:16]).rstrip(b"=").decode()
