"""Stand-ins of Zoom's and Canva's SCIM services on loopback: an honest service (scim2-server) behind the limits and
habits that the vendors document.

Only what the vendors write is known here: neither was tried against the real one.
"""

import io
import json
from collections.abc import Callable, Iterable
from http.server import HTTPServer
from typing import Any
from urllib.parse import parse_qs

from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider

from connectors.scim import ScimSettings
from connectors.standins.listening import Listening
from connectors.standins.loopback import Quiet, QuietServer

FILTERS = ("userName eq ", "externalId eq ")
Environ = dict[str, Any]
Start = Callable[..., Any]


class Vendor(Listening):
    """Listens from entering to leaving.

    `faults` holds statuses for the next calls, first in first out; `calls` the methods and paths that came.
    """

    base = "/v2"
    page_max = 100

    def __init__(self, port: int = 0, token: str = "standin-vendor-token") -> None:
        super().__init__(port)
        self.token = token
        self.faults: list[int] = []
        self.calls: list[str] = []
        self._storage = InMemoryStorage()
        self._honest = BearerTokenApplication(self._storage, load_default_provider(), bearer_tokens=[token])

    @property
    def settings(self) -> ScimSettings:
        """How a connector reaches this stand-in."""
        return ScimSettings(url=f"{self.url}", token=self.token)

    def serve(self, address: tuple[str, int]) -> HTTPServer:
        server = QuietServer(address, Quiet)
        server.set_app(self._answer)
        return server

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
