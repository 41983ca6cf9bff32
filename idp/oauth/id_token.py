"""ID tokens: what a client learns of a sign-in (OIDC Core, 2, 3.1.3.6 and 3.3.2.11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.flows.here import Here
from idp.flows.signing_keys import sign, verify
from idp.jose import half_hash
from idp.oauth.clients import RegisteredClient
from idp.oauth.encryption import encrypted
from idp.service import Service
from policies.assurance import acr_of

TYPE = "JWT"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in, in which session, when and how; `nonce` binds it to the client's request (OIDC Core, 3.1.2.1)."""

    sub: str
    session_id: UUID
    authenticated_at: datetime
    nonce: str | None
    amr: tuple[str, ...]


def issue_id_token(
    here: Here,
    client: RegisteredClient,
    signed_in: SignIn,
    access_token: str | None = None,
    code: str | None = None,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """The ID token that goes with `access_token` or `code`; `sid` names the browser session (Back-Channel Logout, 2.1).

    `claims` about the person are added to those of the protocol, which they can't replace.
    """
    service, algorithm = here.service, client.metadata.id_token_signed_response_alg
    issued = int(here.now.timestamp())
    hashed = {"at_hash": access_token, "c_hash": code}
    said = {
        "iss": service.settings.base_url,
        "sub": signed_in.sub,
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + int(service.profile.rules.tokens.id_token.total_seconds()),
        "auth_time": int(signed_in.authenticated_at.timestamp()),
        "acr": acr_of(signed_in.amr),
        "amr": list(signed_in.amr),
        "sid": str(signed_in.session_id),
        **{name: half_hash(value, algorithm) for name, value in hashed.items() if value is not None},
        **({} if signed_in.nonce is None else {"nonce": signed_in.nonce}),
    }
    return encrypted(service, client, "id_token", sign(service, TYPE, {**(claims or {}), **said}, algorithm))


def read_hint(service: Service, token: str) -> dict[str, Any] | None:
    """The claims of an ID token of ours given back as a hint, however old; None when it is not ours."""
    claims = verify(service, TYPE, token, also_retired=True)
    if claims is None or claims.get("iss") != service.settings.base_url:
        return None
    return claims if {"sub", "sid", "exp"} <= claims.keys() else None  # other JWTs of ours are no ID tokens
