"""How a call over HTTP can fail, against a real server on loopback that misbehaves on demand."""

import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors import http
from connectors.base import OutcomeKind, TargetError
from connectors.standins.ports import free_port
from tests.certificates import self_signed

SECONDS = 0.4


class Handler(BaseHTTPRequestHandler):
    """/status/<n> answers that; /slow never in time; /drip sends its header byte by byte; /big and /gzip as named."""

    ended = threading.Event()

    def do_GET(self) -> None:
        act, _, value = self.path.strip("/").partition("/")
        getattr(self, f"act_{act}")(value)

    do_POST = do_GET

    def act_status(self, value: str) -> None:
        self.answer(int(value), b"{}", [("Retry-After", "7"), ("Location", "/status/200")])

    def act_slow(self, value: str) -> None:
        self.ended.wait(3)

    def act_break(self, value: str) -> None:
        self.close_connection = True

    def act_drip(self, value: str) -> None:
        try:
            for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200:
                self.wfile.write(bytes([letter]))
                time.sleep(SECONDS / 4)
        except OSError:
            self.close_connection = True

    def act_big(self, value: str) -> None:
        self.answer(200, b"x" * 2000, [])

    def act_gzip(self, value: str) -> None:
        self.answer(200, b"x", [("Content-Encoding", "gzip")])

    def answer(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [("Content-Length", str(len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A broken connection is what the client is tested with, not an error of the server."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def serve(tls: ssl.SSLContext | None = None) -> Server:
    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def stop(server: Server) -> None:
    Handler.ended.set()
    server.shutdown()
    server.server_close()
    Handler.ended.clear()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = serve()
    yield f"http://127.0.0.1:{server.server_port}"
    stop(server)


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    with http.client(url, seconds=SECONDS, max_bytes=1000) as found:
        yield found


def failed(client: httpx2.Client, method: str, path: str, **more: Any) -> TargetError:
    with pytest.raises(TargetError) as caught:
        client.request(method, path, **more)
    return caught.value


@pytest.mark.parametrize(("status", "kind"), [
    (400, OutcomeKind.PERMANENT), (401, OutcomeKind.AUTH), (403, OutcomeKind.AUTH), (404, OutcomeKind.NOT_FOUND),
    (405, OutcomeKind.PERMANENT), (409, OutcomeKind.CONFLICT), (412, OutcomeKind.CONFLICT), (429, OutcomeKind.THROTTLED),
    (500, OutcomeKind.RETRYABLE), (502, OutcomeKind.RETRYABLE), (503, OutcomeKind.RETRYABLE),
    (301, OutcomeKind.PERMANENT), (302, OutcomeKind.PERMANENT), (307, OutcomeKind.PERMANENT),
])  # fmt: skip
def test_each_status_has_its_outcome_and_no_redirect_is_followed(
    client: httpx2.Client, status: int, kind: OutcomeKind
) -> None:
    error = failed(client, "GET", f"/status/{status}")
    assert (error.kind, error.retry_after) == (kind, 7.0)


def test_a_target_may_say_more_than_its_status_tells(url: str) -> None:
    def refused(answer: httpx2.Response) -> TargetError | None:
        return TargetError(OutcomeKind.THROTTLED, "slower") if answer.status_code == 403 else http.by_status(answer)

    with http.client(url, seconds=SECONDS, refused=refused) as found:
        assert failed(found, "GET", "/status/403").kind is OutcomeKind.THROTTLED
        assert failed(found, "GET", "/status/401").kind is OutcomeKind.AUTH
        assert found.get("/status/200").status_code == 200


def test_a_success_comes_through(client: httpx2.Client) -> None:
    assert client.get("/status/200").json() == {}


@pytest.mark.parametrize("path", ["/slow", "/drip", "/break"])
@pytest.mark.parametrize(("method", "more", "kind"), [
    ("GET", {}, OutcomeKind.RETRYABLE), ("POST", {}, OutcomeKind.UNKNOWN),
    ("POST", {"extensions": http.REPEAT}, OutcomeKind.RETRYABLE),
])  # fmt: skip
def test_no_answer_is_unknown_only_when_it_must_not_be_sent_twice(
    client: httpx2.Client, path: str, method: str, more: dict[str, Any], kind: OutcomeKind
) -> None:
    started = time.monotonic()
    assert failed(client, method, path, **more).kind is kind
    assert time.monotonic() - started < SECONDS * 3


def test_a_refused_connection_never_happened(client: httpx2.Client) -> None:
    with http.client(f"http://127.0.0.1:{free_port()}", seconds=SECONDS) as nowhere:
        assert failed(nowhere, "POST", "/").kind is OutcomeKind.RETRYABLE


@pytest.mark.parametrize("path", ["/big", "/gzip"])
def test_an_answer_beyond_the_limits_is_not_read(client: httpx2.Client, path: str) -> None:
    assert failed(client, "GET", path).kind is OutcomeKind.PERMANENT
    assert failed(client, "POST", path).kind is OutcomeKind.UNKNOWN


def test_plain_http_is_for_loopback_only() -> None:
    with pytest.raises(ValueError, match="https"):
        http.client("http://lms.example.edu")


def test_a_certificate_nobody_vouches_for_is_refused_and_a_named_authority_accepted(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(tls)
    target = f"https://127.0.0.1:{server.server_port}"
    try:
        with http.client(target, seconds=3) as stranger:
            assert failed(stranger, "GET", "/status/200").kind is OutcomeKind.AUTH
        with http.client(target, seconds=3, ca_file=str(certificate)) as known:
            assert known.get("/status/200").status_code == 200
        with http.client(target, seconds=SECONDS, ca_file=str(certificate)) as known:
            assert failed(known, "POST", "/drip").kind is OutcomeKind.UNKNOWN
    finally:
        stop(server)
