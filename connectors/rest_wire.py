"""The wire of `rest.py`: credentials, and JSON out and in.

Owns OAuth 2 client credentials (RFC 6749 4.4), Basic (RFC 7617) and Bearer (RFC 6750).  What is asked is the map's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from connectors import http
from connectors.base import Json, OutcomeKind, TargetError


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a target lets programs in: `basic`, `bearer` or `client-credentials`, the last with its token endpoint."""

    by: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a status of success."""

    document: Any  # None where nothing was said
    today: date | None  # the day in UTC by the target's own clock (RFC 9110 6.6.1), if it told one


class Wire:
    """Calls of one target; each answers with `Answer` or raises `TargetError`."""

    def __init__(self, client: httpx2.Client, sign_in: SignIn, user: str, secret: str) -> None:
        self._http, self._sign_in = client, sign_in
        self._user, self._secret = user, secret
        self._token = secret if sign_in.by == "bearer" else ""

    def call(self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str],
             body: Json = None, repeatable: bool = True) -> Answer:  # fmt: skip
        """A token that has ended is fetched anew, once: what is refused was not done."""
        request = self._http.build_request(method, path, params=query or None, headers=headers, json=body,
                                           extensions={"repeatable": repeatable})  # fmt: skip
        may_have_ended = self._sign_in.by == "client-credentials" and self._token
        try:
            return self._send(request)
        except TargetError as error:
            if error.kind is not OutcomeKind.AUTH or not may_have_ended:
                raise
        self._token = ""
        return self._send(request)

    def _send(self, request: httpx2.Request) -> Answer:
        auth = httpx2.BasicAuth(self._user, self._secret) if self._sign_in.by == "basic" else self._with_token
        return _read(self._http.send(request, auth=auth))

    def _with_token(self, request: httpx2.Request) -> httpx2.Request:
        self._token = self._token or self._fetch_token()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _fetch_token(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": self._user, "client_secret": self._secret}
        try:
            given = _read(self._http.post(self._sign_in.path, data=form, extensions=http.REPEAT)).document
        except TargetError as error:
            if error.kind is OutcomeKind.PERMANENT:  # invalid_client may come as 400 (RFC 6749 5.2)
                raise TargetError(OutcomeKind.AUTH, f"no token: {error.detail}") from None
            raise
        token = given.get("access_token") if isinstance(given, Mapping) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise TargetError(OutcomeKind.PERMANENT, "the token endpoint gave no token")
        return token


def _read(response: httpx2.Response) -> Answer:
    document = http.document(response) if response.content else None
    return Answer(document, _day(response.headers.get("date", "")))


def _day(written: str) -> date | None:
    try:
        told = parsedate_to_datetime(written)
    except ValueError:
        return None
    return told.astimezone(UTC).date() if told.tzinfo else told.date()
