"""A small JSON service on loopback, for stand-ins of systems with a REST interface.

Owns listening, faults on demand, and JSON in and out; what is answered is the stand-in's.
"""

import json
import ssl
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import HTTPServer, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from connectors.standins.listening import Listening


@dataclass(frozen=True)
class Call:
    """One request, its path decoded as servers do before they take it apart."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    raw: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refused(400, "no JSON") from None


@dataclass(frozen=True)
class Reply:
    """A status, a document (None = no body), and more headers."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Loopback(Listening):
    """Listens from entering to leaving.

    `faults` holds answers for the next calls, first in first out: a status (500), 'garbage' (does the work, answers
    with a page), 'hang' (does the work and never answers) or 'none'.  `calls` are the methods and paths that came.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(port, tls)
        self.faults: list[int | str] = []
        self.calls: list[str] = []
        self._one_at_a_time = threading.Lock()

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """What the system answers; `Refused` where it refuses."""

    def serve(self, address: tuple[str, int]) -> HTTPServer:
        server = QuietServer(address, Quiet)
        server.set_app(self._application)
        return server

    def _application(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        call = _call(environ)
        self.calls.append(f"{call.method} {call.path.removeprefix(self.base)}")
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            start(f"{fault} Fault", [("Content-Type", "text/html"), ("Retry-After", "7")])
            return [b"<!DOCTYPE html>"]
        reply = self._reply(call)
        if fault == "hang":
            self.stopping.wait(30)
        if fault == "garbage":
            start("200 OK", [("Content-Type", "text/html")])
            return [b"<html>a page of something in between</html>"]
        body = b"" if reply.document is None else json.dumps(reply.document, ensure_ascii=False).encode()
        start(f"{reply.status} Answer", [("Content-Type", "application/json"), *reply.headers.items()])
        return [body]

    def _reply(self, call: Call) -> Reply:
        try:
            with self._one_at_a_time:
                return self.answer(call)
        except Refused as refused:
            return Reply(refused.status, {"error": refused.why})


def _call(environ: Mapping[str, Any]) -> Call:
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items()
               if name.startswith("HTTP_")}  # fmt: skip
    path = str(environ["PATH_INFO"]).encode("latin-1").decode()
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return Call(str(environ["REQUEST_METHOD"]), path, query, headers, raw)


class QuietServer(ThreadingHTTPServer, WSGIServer):
    """One thread a call; a client that went away is nothing to report."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing."""


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a query may carry personal data."""
