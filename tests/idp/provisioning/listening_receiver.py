"""Receivers of events: a real server on loopback that says what it is told to say."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws
from joserfc.jwk import KeySet

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Receiver:
    """What it heard, as (path, headers, body), and how it answers: the next of `answers`, else 202."""

    base: str
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)  # set: nothing is answered until it is cleared

    @property
    def tokens(self) -> list[str]:
        return [body.decode() for _, _, body in self.heard]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.heard]

    def will_answer(self, status: int, body: Any = None, **headers: str) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, text))


@contextmanager
def receiving() -> Iterator[Receiver]:
    over = threading.Event()

    class Pages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if receiver.silent.is_set():
                over.wait(10)
                return
            status, headers, text = receiver.answers.pop(0) if receiver.answers else (202, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def opened(token: str, jwks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, checked with nothing of ours: the published keys and the library."""
    found = jws.deserialize_compact(token, KeySet.import_key_set(jwks), algorithms=["RS256"])  # type: ignore[arg-type]
    assert found.payload is not None
    return dict(found.protected), json.loads(found.payload)
