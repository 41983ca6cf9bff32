"""A stand-in of Moodle's REST web service on loopback; behaves as contracts/moodle recorded.

Owns HTTP, tokens, the bracket encoding, faults on demand, and the files the site is kept in.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from connectors.moodle import MoodleSettings
from connectors.standins.listening import Listening
from connectors.standins.moodle_cohorts import COURSE_CREATOR, Cohorts
from connectors.standins.moodle_site import CLASSES, Refused, Site

ENDPOINT = "/webservice/rest/server.php"


class MoodleStandin(Listening):
    """Listens from entering to leaving.

    `faults` holds answers for the next calls, first in first out: a status (500), an error code ('sitemaintenance'),
    'garbage' (200 with a page) or 'hang' (does the work and never answers).  `site` and
    `cohorts` may be looked into and changed.
    """

    def __init__(self, folder: Path, port: int = 0, token: str = "standin-moodle-token",
                 clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        super().__init__(port)
        self.folder, self.token = folder, token
        self.faults: list[int | str] = []
        self.calls: list[str] = []  # names of the functions called, in order
        self._one_at_a_time = threading.Lock()
        self._clock = clock

    @property
    def settings(self) -> MoodleSettings:
        """How a connector reaches this stand-in."""
        return MoodleSettings(url=self.url, token=self.token)

    @property
    def with_cohorts(self) -> MoodleSettings:
        """The same, with cohorts, and the role of a course creator for teachers."""
        return replace(self.settings, cohorts="achkych", roles={"moodle.teacher": COURSE_CREATOR})

    def serve(self, address: tuple[str, int]) -> HTTPServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        server = ThreadingHTTPServer(address, type("Handler", (_Handler,), {"standin": self}))
        self.site = Site(f"http://127.0.0.1:{server.server_port}", self._clock)
        self.cohorts = Cohorts(self.site)
        self._load()
        return server

    def answer(self, form: dict[str, str]) -> Any:
        """The JSON of one call; `Refused` carries an error code."""
        if form.pop("wstoken", None) != self.token:
            raise Refused("invalidtoken")
        form.pop("moodlewsrestformat", None)
        function = form.pop("wsfunction", "")
        if not function:
            raise Refused("invalidparameter")
        self.calls.append(function)
        with self._one_at_a_time:
            result = self.site.call(function, nested(form))
            self._save()
        return result

    def _load(self) -> None:
        if self._users_file.exists():
            self.site.users = {int(one): user for one, user in json.loads(self._users_file.read_text()).items()}
        if self._cohorts_file.exists():
            self.cohorts.load(json.loads(self._cohorts_file.read_text()))

    def _save(self) -> None:
        self._users_file.write_text(json.dumps(self.site.users, ensure_ascii=False, indent=1))
        self._cohorts_file.write_text(json.dumps(self.cohorts.dump(), ensure_ascii=False, indent=1))

    @property
    def _users_file(self) -> Path:
        return self.folder / "moodle-users.json"

    @property
    def _cohorts_file(self) -> Path:
        return self.folder / "moodle-cohorts.json"


class _Handler(BaseHTTPRequestHandler):
    """One request; HTTP is 200 for success and for nearly every failure (1.2)."""

    standin: MoodleStandin

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path != ENDPOINT:
            return self._send(404, "no such page", "text/html")
        fault = self.standin.faults.pop(0) if self.standin.faults else None
        if isinstance(fault, int):
            return self._send(fault, "<!DOCTYPE html>", "text/html", retry=fault in (429, 503))
        if fault == "garbage":
            return self._send(200, "<html>a page of something in between</html>", "text/html")
        text = json.dumps(self._result(dict(parse_qsl(body, keep_blank_values=True)), fault), ensure_ascii=False)
        if fault == "hang":
            self.standin.stopping.wait(30)
            self.close_connection = True
            return None
        return self._send(200, text, "application/json")

    def _result(self, form: dict[str, str], fault: str | None) -> Any:
        try:
            if fault and fault != "hang":
                raise Refused(fault)
            return self.standin.answer(form)
        except Refused as refused:
            code = str(refused)
            name, message = CLASSES.get(code, (r"core\exception\moodle_exception", f"error/{code}"))
            return {"exception": name, "errorcode": code, "message": message}

    def _send(self, status: int, text: str, content_type: str, retry: bool = False) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if retry:
            self.send_header("Retry-After", "300")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the form of a call holds the token and personal data."""


def nested(form: dict[str, str]) -> dict[str, Any]:
    """PHP's brackets: users[0][email]=x -> {'users': {'0': {'email': 'x'}}}; indices may have gaps [334]."""
    result: dict[str, Any] = {}
    for name, value in form.items():
        first, *rest = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place, keys = result, [first, *rest]
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return result
