"""Access tokens for Google's APIs: a service account that acts for an administrator of the university (RFC 7523).

Owns the assertion and how long a token is used.  The assertion is made by Authlib, its key read by joserfc.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx2
from authlib.oauth2.rfc7523 import JWTBearerGrant
from joserfc.jwk import RSAKey

from connectors import http
from connectors.base import OutcomeKind, TargetError

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, 2.1
MARGIN = 60.0  # seconds before its end from which a token is not used any more
REFUSALS = {"invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope", "invalid_request"}


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """Who asks, and for whom it acts (domain-wide delegation)."""

    email: str
    key_id: str
    private_key: str = field(repr=False)  # PEM
    administrator: str


class Tokens:
    """The access token of one service account, fetched when it is needed and kept in memory until shortly before its end.

    Whatever is wrong with the account is an AUTH outcome: its key, the administrator, a scope that was not delegated.
    """

    def __init__(self, account: ServiceAccount, url: str, scopes: Iterable[str], seconds: float, ca_file: str) -> None:
        self._account, self._url, self._scope = account, url, " ".join(scopes)
        self._http = http.client(url, seconds=seconds, ca_file=ca_file, refused=refused)
        self._lock = Lock()
        self._token, self._until = "", 0.0

    def get(self) -> str:
        """A token that still lasts for a while.  Raises `TargetError`."""
        with self._lock:
            if not self._token or time.monotonic() >= self._until:
                self._token, seconds = self._fetch()
                self._until = time.monotonic() + seconds - MARGIN
            return self._token

    def forget(self, token: str) -> None:
        """Google did not take this one: the next call fetches another."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": GRANT, "assertion": self._assertion()}
        answer = self._http.post(self._url, data=form, extensions=http.REPEAT)
        try:
            body = answer.json()
            return str(body["access_token"]), float(body["expires_in"])
        except (ValueError, LookupError, TypeError):
            raise TargetError(OutcomeKind.RETRYABLE, "not an answer of the token endpoint") from None

    def _assertion(self) -> str:
        """Signed for an hour, the longest that Google takes; one assertion fetches one token."""
        try:
            key = RSAKey.import_key(self._account.private_key)
        except ValueError:  # its text could tell of the key
            raise TargetError(OutcomeKind.AUTH, "the private key of the service account cannot be read") from None
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.key_id}
        claims = {"scope": self._scope}
        assertion: str = JWTBearerGrant.sign(
            key, self._account.email, self._url, self._account.administrator, claims=claims, header=header
        )
        return assertion


def refused(response: httpx2.Response) -> TargetError | None:
    """A refusal by the token endpoint (RFC 6749, 5.2) is a matter for the operator; its code says which."""
    found = http.by_status(response)
    if found is None or found.kind in (OutcomeKind.RETRYABLE, OutcomeKind.THROTTLED):
        return found
    code = _code(response)
    return TargetError(OutcomeKind.AUTH, f"Google refused the service account ({code or found.detail})")


def _code(response: httpx2.Response) -> str:
    """One of the registered codes, as a foreign text could tell anything."""
    try:
        body: Any = response.json()
        return str(body["error"]) if body["error"] in REFUSALS else ""
    except (ValueError, LookupError, TypeError):
        return ""
