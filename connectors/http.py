"""The one HTTP client of all connectors: limits on time and size, no redirects, TLS verified, typed failures.

Owns how a call over HTTP can fail.  Everything is decided in the transport, so a library that brings its own
protocol (scim2-client) is held to the same limits and raises the same `TargetError`.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Timer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from connectors.base import OutcomeKind, TargetError

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
REPEAT = {"repeatable": True}
"""Request extension of a POST or PATCH that may be sent twice without harm (a look-up, a PATCH of plain values)."""

STATUSES = {
    401: OutcomeKind.AUTH,
    403: OutcomeKind.AUTH,
    404: OutcomeKind.NOT_FOUND,
    409: OutcomeKind.CONFLICT,
    412: OutcomeKind.CONFLICT,
    429: OutcomeKind.THROTTLED,
}
Refused = Callable[[httpx2.Response], TargetError | None]
"""What an answer means to one target: its refusal as an outcome, None for a success."""

_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")

OURS_REFUSED = frozenset({
    "HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_REVOKED", "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN", "UNKNOWN_CA", "ACCESS_DENIED", "CERTIFICATE_REQUIRED",
})  # fmt: skip
"""Alerts by which a server says that it does not take our certificate, or wanted one (RFC 8446 6.2)."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """How we prove ourselves by TLS: PEM files of our certificate and its key, and the one certificate (or authority)
    that counts on the other side."""

    certificate: str
    key: str
    authority: str


def client(url: str, *, seconds: float = 10.0, max_bytes: int = 2_000_000, ca_file: str = "",
           headers: Mapping[str, str] | None = None, refused: Refused | None = None, pause: float = 0.0,
           own: OwnCertificate | None = None, connect: float | None = None) -> httpx2.Client:  # fmt: skip
    """A client for one target.  `url` is its base and must be https, or http on loopback (stand-ins; never with `own`).

    `seconds` bound one call as a whole, `connect` of them, where given, reaching the target; `ca_file` names an authority
    of the institution instead of the system's; `own`: with TLS on both sides; `refused` reads an answer where its status
    alone does not tell what happened; `pause`: seconds from one call to the next, for targets that count them.

    Raises `ValueError` for an address without https and for files that cannot be used.
    """
    if urlsplit(url).scheme != "https" and (own or not is_loopback(urlsplit(url).hostname or "")):
        raise ValueError("a target outside loopback needs https" if own is None else "TLS on both sides needs https")
    tls = _with_own(own) if own else _authorities(url, ca_file)
    transport = GuardedTransport(seconds, max_bytes, tls, refused or by_status, pause, connect)
    # an encoded body could unfold to any size, so none is asked for and none is taken
    return httpx2.Client(base_url=url, transport=transport, trust_env=False, follow_redirects=False,
                         headers={"Accept-Encoding": "identity", **(headers or {})})  # fmt: skip


def _authorities(url: str, ca_file: str) -> ssl.SSLContext:
    """Whose certificates count; without https nobody's, which spares reading the system's on every start."""
    if urlsplit(url).scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cafile=ca_file or None)


def _with_own(own: OwnCertificate) -> ssl.SSLContext:
    """What is named as authority may be a server's own self-signed certificate: that very one counts then, whatever
    its form; the name in it is checked all the same."""
    try:
        tls = ssl.create_default_context(cafile=own.authority)
    except OSError as error:
        raise ValueError(f"{own.authority}: no certificate in PEM that can be read ({type(error).__name__})") from None
    tls.verify_flags = (tls.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    try:
        tls.load_cert_chain(own.certificate, own.key, password=_no_password)
    except OSError as error:
        reason = f"no certificate and its own key in PEM, without a password ({type(error).__name__})"
        raise ValueError(f"{own.certificate}, {own.key}: {reason}") from None
    return tls


def _no_password() -> str:
    """Instead of asking at a terminal."""
    return ""


def document(answer: httpx2.Response, shape: type[Any] = object) -> Any:
    """The JSON of an answer.  What is none, or not of the `shape`, comes from something in between: RETRYABLE where
    asking again harms nobody, else UNKNOWN."""
    with suppress(ValueError):
        if isinstance(found := answer.json(), shape):
            return found
    kind = OutcomeKind.RETRYABLE if _is_repeatable(answer.request) else OutcomeKind.UNKNOWN
    raise TargetError(kind, "not an answer in JSON")


def _is_repeatable(request: httpx2.Request) -> bool:
    return bool(request.extensions.get("repeatable", request.method in REPEATABLE))


def is_loopback(host: str) -> bool:
    """Whether this host name or address never leaves the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class GuardedTransport(httpx2.BaseTransport):
    """Sends one request on a connection of its own and answers with a 2xx, or raises `TargetError`.

    No connection is kept: one the target had closed meanwhile would make a create look as if it might have happened.
    """

    def __init__(self, seconds: float, max_bytes: int, tls: ssl.SSLContext, refused: Refused, pause: float = 0.0,
                 connect: float | None = None) -> None:  # fmt: skip
        self._seconds, self._max_bytes, self._refused = seconds, max_bytes, refused
        self._connect = min(connect or seconds, seconds)
        self._pause, self._next, self._turn = pause, 0.0, Lock()
        self._inner = httpx2.HTTPTransport(
            verify=tls, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        repeatable = _is_repeatable(request)
        self._wait_for_turn()
        with _Watch(self._seconds) as watch:
            request.extensions = {**request.extensions, "trace": watch.trace, "timeout": self._timeouts()}
            try:
                response = self._fetch(request, repeatable)
            except httpx2.TransportError as error:
                raise fault(error, repeatable, watch.expired) from error
        if (refusal := self._refused(response)) is not None:
            raise refusal
        return response

    def close(self) -> None:
        self._inner.close()

    def _wait_for_turn(self) -> None:
        if self._pause:
            with self._turn:
                time.sleep(max(0.0, self._next - time.monotonic()))
                self._next = time.monotonic() + self._pause

    def _timeouts(self) -> dict[str, float]:
        return dict.fromkeys(("read", "write", "pool"), self._seconds) | {"connect": self._connect}

    def _fetch(self, request: httpx2.Request, repeatable: bool) -> httpx2.Response:
        """The whole answer in memory, within the size limit."""
        answer = self._inner.handle_request(request)
        try:
            body = self._body(answer, repeatable)
        finally:
            answer.close()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body, request=request)

    def _body(self, answer: httpx2.Response, repeatable: bool) -> bytes:
        encoded = answer.headers.get("content-encoding", "identity") != "identity"
        chunks, size = [], 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if encoded or size > self._max_bytes:
                kind = OutcomeKind.PERMANENT if repeatable else OutcomeKind.UNKNOWN
                raise TargetError(kind, "an encoded answer" if encoded else f"an answer over {self._max_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


class _Watch:
    """Ends a call whose time is up in whatever phase it hangs, a header sent byte by byte included.

    The limits of httpx2 are for one read each; here the socket is shut down under the waiting reader.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in _CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")

    def _expire(self) -> None:
        self.expired = True
        if self._socket is not None:
            with suppress(OSError):  # closed already
                # the method of the base class: SSLSocket's own would pull the TLS state away from the reader
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()


def fault(error: httpx2.TransportError, repeatable: bool, expired: bool) -> TargetError:
    """The network's failures.  Once a call that must not be repeated may have been sent, only a look tells."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return TargetError(OutcomeKind.AUTH, "the certificate was not accepted")
    if any(_refuses_ours(cause) for cause in _causes(error)):  # by TLS 1.3 told only when the answer is read
        return TargetError(OutcomeKind.AUTH, "our certificate was not accepted")
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return TargetError(OutcomeKind.RETRYABLE, "no connection")
    detail = "no answer in time" if expired or isinstance(error, httpx2.TimeoutException) else "the connection broke"
    return TargetError(OutcomeKind.RETRYABLE if repeatable else OutcomeKind.UNKNOWN, detail)


def _refuses_ours(error: BaseException) -> bool:
    alert = (error.reason or "").partition("_ALERT_")[2] if isinstance(error, ssl.SSLError) else ""
    return alert in OURS_REFUSED


def by_status(response: httpx2.Response) -> TargetError | None:
    """The status as an outcome; the body is not quoted, it may carry personal data."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    kind = OutcomeKind.RETRYABLE if status >= 500 else STATUSES.get(status, OutcomeKind.PERMANENT)
    return TargetError(kind, f"HTTP {status}", retry_after(response))


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds of Retry-After (RFC 9110 10.2.3), a day at most; its date form is not read.  None: it does not say."""
    value = response.headers.get("retry-after", "").strip()
    return float(min(int(value), 86_400)) if value.isascii() and value.isdigit() else None


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
