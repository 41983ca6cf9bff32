"""Stand-ins of Zoom's and Canva's SCIM services on loopback: an honest service (scim2-server) behind the limits and
habits that the vendors document.

Only what the vendors write is known here: neither was tried against the real one.
"""

import io
import json
import threading
from collections.abc import Callable, Iterable
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider

from connectors.scim import ScimSettings

FILTERS = ("userName eq ", "externalId eq ")
Environ = dict[str, Any]
Start = Callable[..., Any]


class Vendor:
    """Listens from entering to leaving.

    `faults` holds statuses for the next calls, first in first out; `calls` the methods and paths that came.
    """

    page_max = 100

    def __init__(self, port: int = 0, token: str = "standin-vendor-token") -> None:
        self.token = token
        self.faults: list[int] = []
        self.calls: list[str] = []
        self._storage = InMemoryStorage()
        self._honest = BearerTokenApplication(self._storage, load_default_provider(), bearer_tokens=[token])
        self._wanted_port = port
        self._server: WSGIServer | None = None

    @property
    def settings(self) -> ScimSettings:
        """How a connector reaches this stand-in."""
        return ScimSettings(url=f"{self.url}", token=self.token)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self._wanted_port), _Quiet)
        self._server.set_app(self._answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v2"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: Environ, start: Start) -> Iterable[bytes]:
        method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
        self.calls.append(f"{method} {path}")
        refused = self.faults.pop(0) if self.faults else self._refusal(method, path, environ)
        if refused:
            start(f"{refused} Refused", [("Content-Type", "text/plain"), ("Retry-After", "7")])
            return [b"refused"]
        answer: Iterable[bytes] = self._honest(environ, start)
        return answer

    def _refusal(self, method: str, path: str, environ: Environ) -> int | None:
        """A status for what the vendor does not offer; else None, and the body may be changed."""
        asked = parse_qs(str(environ.get("QUERY_STRING", "")))
        named = asked.get("filter", [""])[0]
        if named and not named.startswith(FILTERS):
            return 400
        return 400 if int(asked.get("count", ["1"])[0]) > self.page_max else None


class ZoomStandin(Vendor):
    """Accounts in `administrators` (by userName) answer to being deactivated, and stay active."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.administrators: set[str] = set()

    def _refusal(self, method: str, path: str, environ: Environ) -> int | None:
        if method == "PATCH" and self._is_administrators(path):
            body = _body(environ)
            for step in body.get("Operations", []):
                if step.get("path") == "active":
                    step["value"] = True
            _put_body(environ, body)
        return super()._refusal(method, path, environ)

    def _is_administrators(self, path: str) -> bool:
        user = next((one for one in self._storage.resources if one.id == path.rpartition("/")[2]), None)
        return user is not None and getattr(user, "user_name", None) in self.administrators


class CanvaStandin(Vendor):
    """Pages of ten, no deleting, one address of type work, and steps of a PATCH without paths."""

    page_max = 10

    def _refusal(self, method: str, path: str, environ: Environ) -> int | None:
        if method == "DELETE":
            return 405
        if method == "POST" and [one.get("type") for one in _body(environ).get("emails", [])] != ["work"]:
            return 400
        if method == "PATCH" and any("path" in step for step in _body(environ).get("Operations", [])):
            return 400
        return super()._refusal(method, path, environ)


def _body(environ: Environ) -> dict[str, Any]:
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(raw)
    found: dict[str, Any] = json.loads(raw or b"{}")
    return found


def _put_body(environ: Environ, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(raw), str(len(raw))


class _Server(ThreadingHTTPServer, WSGIServer):
    """One thread a call."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
