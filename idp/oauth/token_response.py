"""What the token endpoint answers for a person: access token, ID token, refresh token (OIDC Core, 3.1.3.3, 12.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from uuid_utils.compat import uuid7

from idp.crypto import digest, new_token
from idp.flows.here import Here
from idp.oauth.access_token import Rights, issue_access_token, token_answer
from idp.oauth.clients import RegisteredClient
from idp.oauth.encryption import encryption_key
from idp.oauth.id_token import SignIn, issue_id_token
from idp.oauth.people import claims_of_account
from idp.oauth.standing import StandingGrant
from idp.oauth.subject import subject_for
from policies.tokens import refresh_until

Confirmation = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is asked for: of all that was granted maybe less.  `issued_at` and `jti` repeat an access token."""

    scope: str
    audience: tuple[str, ...]
    authenticated_at: datetime
    nonce: str | None = None
    issued_at: datetime | None = None
    jti: UUID | None = None


def token_response(
    here: Here,
    client: RegisteredClient,
    grant: StandingGrant,
    asked: Tokens,
    confirmation: Confirmation,
    refresh_token: str | None,
) -> dict[str, Any]:
    """The answer for a grant that stands; an ID token is part of it when scope openid was granted."""
    sub = subject_for(here.service, client, grant.sub)
    rights = Rights(
        sub=sub,
        scope=asked.scope,
        grant_id=grant.id,
        audience=asked.audience,
        authorization_details=grant.authorization_details,
        authenticated_at=asked.authenticated_at,
    )
    access_token = issue_access_token(here, client, rights, confirmation, issued_at=asked.issued_at, jti=asked.jti)
    answer = token_answer(here.service, access_token, asked.scope, confirmation)
    if refresh_token is not None:
        answer["refresh_token"] = refresh_token
    if grant.authorization_details:
        answer["authorization_details"] = grant.authorization_details  # RFC 9396, 7
    if "openid" in grant.scope.split():
        signed_in = SignIn(sub, grant.session_id, asked.authenticated_at, asked.nonce, tuple(grant.amr))
        wished = frozenset((grant.claims or {}).get("id_token") or ())
        claims = claims_of_account(here, client, grant.account_id, wished)
        answer["id_token"] = issue_id_token(here, client, signed_in, access_token, claims=claims)
    return answer


def can_be_answered(here: Here, client: RegisteredClient, grant: StandingGrant) -> None:
    """Asked before a code or token is spent, so that the client can mend its keys and come again.

    Raises `NoEncryptionKey` when the ID token could not be encrypted.
    """
    if "openid" in grant.scope.split():
        encryption_key(here.service, client, "id_token")


def new_refresh_token(
    here: Here, grant: StandingGrant, authenticated_at: datetime, jkt: str | None, token: str | None = None
) -> tuple[str, dict[str, Any]]:
    """A refresh token of `grant` and its row, to be stored (`one_use.spend`); `jkt` is the key a public client's token
    is bound to (RFC 9449, 5)."""
    token = token or new_token()
    row = {
        "id": uuid7(),
        "grant_id": grant.id,
        "token_digest": digest(token),
        "jkt": jkt,
        "authenticated_at": authenticated_at,
        "issued_at": here.now,
        "expires_at": refresh_until(grant.granted_at, here.now, here.service.profile.rules.tokens),
    }
    return token, row


def key_of_public(client: RegisteredClient, confirmation: Confirmation) -> str | None:
    """What a refresh token is bound to: a confidential client proves itself anyway (RFC 9449, 5)."""
    return confirmation.get("jkt") if client.metadata.public and confirmation else None


def audience_asked(resources: tuple[str, ...], granted: list[str] | None) -> tuple[str, ...]:
    """The resources a token is for: those asked for at the token endpoint, else all that were granted (RFC 8707, 2.2).

    Raises `OAuth2Error` invalid_target for one that was not granted.
    """
    if not set(resources) <= set(granted or ()):
        raise OAuth2Error("the resource was not granted", error="invalid_target")
    return resources or tuple(granted or ())
