"""The wire to Moodle: PHP brackets out, JSON in, and one table from its error codes to outcomes.

Owns encoding and failures (contracts/moodle 1.1, 1.2); which functions are called is `moodle.py`'s.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors import http
from connectors.base import Json, OutcomeKind, TargetError

ENDPOINT = "/webservice/rest/server.php"

CODES = {
    "invalidtoken": OutcomeKind.AUTH,
    "accessexception": OutcomeKind.AUTH,
    "nopermissions": OutcomeKind.AUTH,
    "wsaccessusersuspended": OutcomeKind.AUTH,
    "wsaccessusernologin": OutcomeKind.AUTH,
    "sitemaintenance": OutcomeKind.RETRYABLE,
    "dbconnectionfailed": OutcomeKind.RETRYABLE,
    "invalidrecordunknown": OutcomeKind.NOT_FOUND,
    "dmlwriteexception": OutcomeKind.CONFLICT,  # lengths were checked before, so what is left is a unique index [060]
    # of update's warnings
    "invaliduserid": OutcomeKind.NOT_FOUND,
    "usernotupdateddeleted": OutcomeKind.NOT_FOUND,
    "useremailduplicate": OutcomeKind.CONFLICT,
}
"""`errorcode` or `warningcode` -> outcome; every other code is PERMANENT: asking again changes nothing."""


class Rest:
    """Calls functions of one site; each answers with the decoded body or raises `TargetError`."""

    def __init__(self, url: str, token: str, seconds: float, ca_file: str) -> None:
        # 2.4 ms and 0.7 kB a user: the largest slice of a scan stays far below this
        self._http = http.client(url.rstrip("/"), seconds=seconds, max_bytes=10_000_000, ca_file=ca_file)
        self._token = token

    def read(self, function: str, parameters: Mapping[str, Json] | None = None) -> Any:
        """A call that may be sent twice."""
        return self._call(function, parameters or {}, repeatable=True)

    def create(self, function: str, parameters: Mapping[str, Json]) -> Any:
        """A call that must not be sent twice."""
        return self._call(function, parameters, repeatable=False)

    def change(self, function: str, parameters: Mapping[str, Json]) -> None:
        """An update; it answers 200 with warnings for what it did not do [058]."""
        answer = self._call(function, parameters, repeatable=True)
        for warning in (answer or {}).get("warnings", []):
            raise outcome(warning["warningcode"])

    def _call(self, function: str, parameters: Mapping[str, Json], repeatable: bool) -> Any:
        form = {
            "wstoken": self._token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            **dict(brackets(parameters)),
        }
        answer = self._http.post(ENDPOINT, data=form, extensions={"repeatable": repeatable})
        body = http.document(answer)  # XML when PHP dropped every field [310]
        if isinstance(body, dict) and "exception" in body:
            raise outcome(str(body.get("errorcode", "")))
        return body


def outcome(code: str) -> TargetError:
    """Decided by the code alone: messages are translated, and `debuginfo` carries personal data."""
    shown = code if code.isalnum() else "a text instead of a code"  # the password policy answers in HTML [019]
    return TargetError(CODES.get(code, OutcomeKind.PERMANENT), f"Moodle answered {shown}")


def brackets(parameters: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Nested values as form fields: {'users': [{'id': 4}]} -> users[0][id]=4."""
    for name, value in parameters.items():
        yield from _field(name, value)


def _field(name: str, value: Json) -> Iterator[tuple[str, str]]:
    """Booleans are 1 and 0, the words are refused [335]."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _field(f"{name}[{key}]", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _field(f"{name}[{index}]", inner)
    else:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)
