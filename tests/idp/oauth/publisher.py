"""A client's own web server on loopback: documents at addresses that the client registers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Publisher:
    """Serves `documents` by path and counts in `asked` what was asked for; a number as document is a bare status."""

    def __init__(self, port: int) -> None:
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        self.forms: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.base = f"http://127.0.0.1:{port}"

    def url(self, path: str, document: Any) -> str:
        """Publish `document` (JSON, bytes, a status, or a path to be sent to); its address."""
        self.documents[path] = document
        return self.base + path


@contextmanager
def publisher() -> Iterator[Publisher]:
    """A server for the time of a test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    published = server.published = Publisher(server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield published
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that the library wants
        published: Publisher = self.server.published  # type: ignore[attr-defined]
        published.asked.append(self.path)
        published.headers.append(dict(self.headers))
        document = published.documents.get(self.path, 404)
        if isinstance(document, int):
            self._say(document, b"", [])
        elif isinstance(document, str):
            self._say(302, b"", [("Location", document)])
        else:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self._say(200, body, [("Content-Type", "application/json")])

    def do_POST(self) -> None:  # the name that the library wants
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.published.forms.append(body)  # type: ignore[attr-defined]
        self.do_GET()

    def _say(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
