"""Reading from a member of X-Road (in Kyrgyzstan Tunduk) through our own security server, with TLS on both sides.

Owns the client's half of "X-Road: Message Protocol for REST" (PR-REST 1.0.4): path, headers, and one table from its
errors to outcomes.  Nothing is ever written, so every call may be sent twice.  What the service behind it means is its
connector's.  Not done, as the security server does it: messages are signed and their hashes checked there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2

from connectors import http
from connectors.base import OutcomeKind, TargetError

CONNECT = 5.0  # seconds to reach our own security server, which stands next door
LONGEST_URL = 2000  # characters
IDENTIFIER = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9'()+,\-.=?]{1,255}")  # a part of a name in X-Road
SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~\-]{1,200}")  # a part of the provider's own path
USER = re.compile(r"[A-Z]{2}[A-Za-z0-9_.\-]{1,60}")  # with the prefix of a country
ERROR_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{1,99}")
EXCHANGE = re.compile(r"[A-Za-z0-9\-]{8,64}")

REFUSALS = {
    "server.clientproxy.sslauthenticationfailed": OutcomeKind.AUTH,
    "server.clientproxy.accessdenied": OutcomeKind.AUTH,
    "server.clientproxy.unknownmember": OutcomeKind.AUTH,
    "server.serverproxy.accessdenied": OutcomeKind.AUTH,  # the provider has not opened the service to us
    "server.serverproxy.unknownservice": OutcomeKind.PERMANENT,
    "server.serverproxy.servicedisabled": OutcomeKind.PERMANENT,
}
"""Codes without `_` and in lower case: up to 7.7 they are in camel case, from 7.8 with underscores.  Of the others
`client.*` is PERMANENT (our request is wrong), all else RETRYABLE."""


@dataclass(frozen=True, kw_only=True)
class XRoadSettings:
    """Our security server, who we are, which service is read, and how both sides prove themselves."""

    url: str
    """Our own security server, https; its port for information systems is 8443."""
    client: str
    """Our subsystem, as registered: `instance/class/code/subsystem`."""
    service: str
    """The provider's service: `instance/class/code/subsystem/service`."""
    certificate: str
    """PEM file of our certificate, as uploaded to the subsystem's «Internal servers»."""
    key: str
    """PEM file of its key, without a password; nobody but the service may read it."""
    ca_file: str
    """PEM file of the security server's internal certificate: this one counts and no other."""
    user_id: str = "KGidp-service"
    """Who asks (X-Road-UserId): a service, with the prefix of the country.  Never a person: both sides log it."""
    timeout: float = 60.0
    """Seconds for one call as a whole; the security server itself tries for 30 to reach the other one."""


class XRoad:
    """One service of one provider.  Raises `ValueError` for settings that do not hold, each mistake a line."""

    def __init__(self, settings: XRoadSettings) -> None:
        if mistakes := list(_mistakes(settings)):
            raise ValueError("\n".join(mistakes))
        *provider, self.service = settings.service.split("/")
        self._provider = "/r1/" + "/".join(quote(part, safe="") for part in provider)
        self._http = http.client(
            settings.url.rstrip("/"), seconds=settings.timeout, connect=CONNECT, max_bytes=10_000_000, refused=refusal,
            own=http.OwnCertificate(settings.certificate, settings.key, settings.ca_file),
            headers={"X-Road-Client": settings.client, "X-Road-UserId": settings.user_id, "Accept": "application/json"},
        )  # fmt: skip

    def read(self, path: Sequence[str], query: Mapping[str, str | int] | None = None) -> Any:
        """What the service answers at its own path, given part by part.  Raises `TargetError`."""
        if any(not SEGMENT.fullmatch(part) for part in path):
            raise TargetError(OutcomeKind.PERMANENT, "a part of the path that a server could take for more than that")
        return self._get("/".join((quote(self.service, safe=""), *path)), query)

    def open_to_us(self) -> frozenset[str]:
        """The codes of those services of the provider that we may call (PR-MREST 0.8, allowedMethods)."""
        told = self._get("allowedMethods", None)
        services = told.get("service") if isinstance(told, Mapping) else None
        if not isinstance(services, list):
            raise TargetError(OutcomeKind.RETRYABLE, "no list of services")
        return frozenset(str(one.get("service_code")) for one in services if isinstance(one, Mapping))

    def _get(self, path: str, query: Mapping[str, str | int] | None) -> Any:
        headers = {"X-Road-Id": str(uuid4())}
        request = self._http.build_request("GET", f"{self._provider}/{path}", params=query, headers=headers)
        if len(str(request.url)) > LONGEST_URL:
            raise TargetError(OutcomeKind.PERMANENT, f"an address over {LONGEST_URL} characters")
        return http.document(self._http.send(request))


def refusal(answer: httpx2.Response) -> TargetError | None:
    """An answer as an outcome.  With X-Road-Error it is X-Road that failed, whatever the status; without, status and
    body are the provider's.  Neither the message nor the body is quoted: they may carry personal data."""
    code = answer.headers.get("x-road-error")
    if code is not None:
        shown = code if ERROR_CODE.fullmatch(code) else "an error without a code"
        return _told(answer, TargetError(outcome(code), f"X-Road answered {shown}"))
    if (refused := http.by_status(answer)) is not None:
        return _told(answer, refused)
    if answer.headers.get("x-road-id") != answer.request.headers["x-road-id"]:  # something in between, or a mix-up
        return TargetError(OutcomeKind.RETRYABLE, "not an answer of X-Road to this call")
    return None


def outcome(code: str) -> OutcomeKind:
    """What to do about an error of X-Road."""
    known = code.replace("_", "").lower()
    default = OutcomeKind.PERMANENT if known.startswith("client.") else OutcomeKind.RETRYABLE
    return REFUSALS.get(known, default)


def _told(answer: httpx2.Response, error: TargetError) -> TargetError:
    """With the number under which both security servers have the exchange in their logs; else ours for the call."""
    exchange = answer.headers.get("x-road-request-id", "")
    number = exchange if EXCHANGE.fullmatch(exchange) else answer.request.headers["x-road-id"]
    return TargetError(error.kind, f"{error.detail} (exchange {number})", error.retry_after)


def _mistakes(settings: XRoadSettings) -> Sequence[str]:
    counts = {"client": (3, 4), "service": (5,)}
    found = [
        f"{name}: must be {' or '.join(map(str, allowed))} identifiers with a slash between them"
        for name, allowed in counts.items()
        if len(parts := getattr(settings, name).split("/")) not in allowed or not all(map(IDENTIFIER.fullmatch, parts))
    ]
    if not USER.fullmatch(settings.user_id):
        found.append("user_id: must be a name with the prefix of a country, as KGidp-service")
    return found
