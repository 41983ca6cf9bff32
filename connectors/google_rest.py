"""The wire to Google's Directory API: JSON with an access token, and one function from its errors to outcomes.

Owns encoding and failures (contracts/mail, section on Google Workspace); which calls are made is `google.py`'s.
"""

from typing import Any
from urllib.parse import quote

import httpx2

from connectors import http
from connectors.base import OutcomeKind, TargetError
from connectors.google_token import Tokens

Document = dict[str, Any]

ROOT = "/admin/directory/v1"
THROTTLED = frozenset({"userRateLimitExceeded", "quotaExceeded", "rateLimitExceeded"})
"""Reasons with which a 403 asks to be slower; any other 403 is about rights."""

INCOMPLETE = "creation is not complete"  # the one thing Google tells by its text alone


class Rest:
    """Calls to one Workspace; each answers with the decoded body ({} for none) or raises `TargetError`."""

    def __init__(self, url: str, tokens: Tokens, seconds: float, ca_file: str) -> None:
        self._http = http.client(url.rstrip("/"), seconds=seconds, ca_file=ca_file, refused=refused)
        self._tokens = tokens

    def read(self, path: str, **query: str) -> Document:
        return self._call("GET", path, query, None, True)

    def create(self, path: str, body: Document) -> Document:
        """A call that must not be sent twice."""
        return self._call("POST", path, {}, body, False)

    def change(self, method: str, path: str, body: Document | None = None) -> Document:
        """A call that may be sent twice: a PATCH of plain values, a DELETE, a POST that says "already" the second time."""
        return self._call(method, path, {}, body, True)

    def remove(self, path: str) -> None:
        """What is gone already is a success."""
        try:
            self.change("DELETE", path)
        except TargetError as error:
            if error.kind is not OutcomeKind.NOT_FOUND:
                raise

    def _call(self, method: str, path: str, query: dict[str, str], body: Document | None, repeatable: bool) -> Document:
        token = self._tokens.get()
        try:
            answer = self._http.request(method, ROOT + path, params=query, json=body,
                                        headers={"Authorization": f"Bearer {token}"},
                                        extensions={"repeatable": repeatable})  # fmt: skip
        except TargetError as error:
            if error.kind is OutcomeKind.AUTH:
                self._tokens.forget(token)
            raise
        return http.document(answer, dict) if answer.content else {}


def place(*steps: str) -> str:
    """A path of words and keys; a key cannot break out of its place."""
    return "".join(f"/{quote(step, safe='')}" for step in steps)


def refused(response: httpx2.Response) -> TargetError | None:
    """The status, and where it does not tell enough, the reason in the body; its text is not quoted, it names people."""
    found = http.by_status(response)
    if found is None or found.kind is OutcomeKind.RETRYABLE:
        return found
    reason, message = _error(response)
    if INCOMPLETE in message:
        return TargetError(OutcomeKind.RETRYABLE, "the creation of the user is not complete yet")
    if response.status_code == 403 and reason in THROTTLED:
        return TargetError(OutcomeKind.THROTTLED, f"HTTP 403 ({reason})", found.retry_after)
    if response.status_code == 404 and not reason:  # a wrong address or something in between: it says nothing of people
        return TargetError(OutcomeKind.RETRYABLE, "HTTP 404, but not from the Directory API")
    shown = f"{found.detail} ({reason})" if reason else found.detail
    return TargetError(found.kind, shown, found.retry_after)


def _error(response: httpx2.Response) -> tuple[str, str]:
    """The reason, a word of Google's, and the message; empty when the body is not an error of the API."""
    try:
        error = response.json()["error"]
        reason, message = str(error["errors"][0]["reason"]), str(error["message"])
    except (ValueError, LookupError, TypeError):
        return "", ""
    return reason if reason.isascii() and reason.isalpha() else "", message
