"""How many tokens a second: `python -m tests.bench.tokens [--database URL] [--seconds 5]`.

Starts the web processes on loopback with a configuration of their own, loads each endpoint for some seconds over
kept-alive connections, and reports requests/s, p50, p99 and the CPU time the web processes spent per request.  The
load comes from the same machine: the rates are what is left beside it, the CPU figures are the service's own.
"""

import argparse
import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from idp.app import create_app
from idp.crypto import new_key
from idp.db import db
from idp.settings import Settings
from idp.web.place import cookie_name
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, basic
from tests.postgres import free_port, postgres_server

HANDS = 8  # connections, each with one request under way
WARM_UP = 0.5  # seconds before measuring
START = 30.0  # seconds the service may take to answer
Request = tuple[str, str, str | None, dict[str, str]]  # method, path, body, headers
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Load:
    """One endpoint under load: what to send next, and whether an answer is right (it may prepare the next request)."""

    name: str
    request: Callable[[int], Request]
    accept: Callable[[int, http.client.HTTPResponse, bytes], bool]


@dataclass
class Result:
    """Latencies in seconds, `wrong` answers, and CPU seconds of the web processes."""

    latencies: list[float]
    wrong: int
    seconds: float
    cpu: float

    def line(self, name: str) -> str:
        ordered = sorted(self.latencies) or [0.0]
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.99))
        count = max(len(self.latencies), 1)
        return f"{name:<20}{count / self.seconds:>8.0f}/s{p50:>9.1f} ms{p99:>9.1f} ms{self.cpu / count * 1000:>9.2f} ms"


def main() -> int:
    """0 when every answer was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite", help="URL of a scratch database, or: sqlite, postgresql (own)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each endpoint is loaded")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="achkych-bench-") as folder, _database(options.database, Path(folder)) as url:
        settings = _configure(Path(folder), url)
        _run("migrate")
        loads = _prepare(settings)
        with _web(settings) as server:
            print(f"{url.split(':')[0]}, {HANDS} connections, {os.cpu_count()} cores, {options.seconds:.0f} s each")
            print(f"{'':<20}{'rate':>10}{'p50':>12}{'p99':>12}{'CPU':>12}")
            wrong = 0
            for load in loads:
                result = _measure(load, settings, server, options.seconds)
                print(result.line(load.name), f"  {result.wrong} WRONG" if result.wrong else "", flush=True)
                wrong += result.wrong
    return 1 if wrong else 0


# --- the service


@contextmanager
def _database(wish: str, folder: Path) -> Iterator[str]:
    if wish == "postgresql":
        with postgres_server() as address:
            yield f"{address}/postgres"
    else:
        yield f"sqlite:///{folder}/bench.db" if wish == "sqlite" else wish


def _configure(folder: Path, url: str) -> Settings:
    """Write the settings where the processes find them."""
    port = free_port()
    key = new_key()
    text = f"""
environment = "development"
base_url = "http://127.0.0.1:{port}"
database_url = "{url}"
port = {port}
web_processes = 2
web_threads = 4
[secrets]
pages = "{new_key()}"
lookup = "{new_key()}"
active = "k1"
sealing = {{ k1 = "{key}" }}
[mail]
sender = "achkych@example.org"
starttls = false
"""
    (folder / "achkych.toml").write_text(text)
    os.environ["ACHKYCH_CONFIG"] = str(folder / "achkych.toml")
    return Settings()  # type: ignore[call-arg]  # the values come from the file


def _run(command: str) -> None:
    subprocess.run([sys.executable, "-m", "idp", command], check=True, timeout=120, stdout=subprocess.DEVNULL)


@contextmanager
def _web(settings: Settings) -> Iterator[int]:
    """The web processes; gives the id of the one that watches them."""
    server = subprocess.Popen([sys.executable, "-m", "idp", "web"], stderr=subprocess.DEVNULL)
    try:
        _wait(settings)
        yield server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait(settings: Settings) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=2)
            connection.request("GET", "/oauth/jwks")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service does not answer")


def _cpu_seconds(server: int) -> float:
    """User and system time of the web processes so far."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    ticks = 0
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# --- what is asked


def _prepare(settings: Settings) -> list[Load]:
    """Clients, a person with a session, and a family of refresh tokens for each connection."""
    app = create_app(settings)
    party = Party(app, Make(app))
    machine = party.client(grant_types=["client_credentials"], redirect_uris=[])
    client = party.client()
    people = [party.make.account(f"person{number}") for number in range(HANDS)]
    browsers = [party.browser(person) for person in people]
    cookie = cookie_name(settings, "session")
    sessions = [browser.get_cookie(cookie, "127.0.0.1") for browser in browsers]
    tokens = [str(party.tokens(person, client)["refresh_token"]) for person in people]
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    cookies = [f"{cookie}={session.value}" for session in sessions if session]
    return [_discovery(), _client_credentials(machine), _refresh(client, tokens), _authorize(client, cookies)]


def _discovery() -> Load:
    return Load("discovery", lambda hand: ("GET", "/.well-known/openid-configuration", None, {}), _is(200))


def _client_credentials(client: Registered) -> Load:
    headers = FORM | {"Authorization": basic(client.client_id, client.secret or "")}
    request = ("POST", "/oauth/token", "grant_type=client_credentials", headers)
    return Load("client credentials", lambda hand: request, _is(200))


def _refresh(client: Registered, tokens: list[str]) -> Load:
    headers = FORM | {"Authorization": basic(client.client_id, client.secret or "")}

    def request(hand: int) -> Request:
        return (
            "POST",
            "/oauth/token",
            urlencode({"grant_type": "refresh_token", "refresh_token": tokens[hand]}),
            headers,
        )

    def accept(hand: int, response: http.client.HTTPResponse, body: bytes) -> bool:
        tokens[hand] = json.loads(body).get("refresh_token", "")
        return response.status == 200

    return Load("refresh", request, accept)


def _authorize(client: Registered, cookies: list[str]) -> Load:
    query = urlencode({
        "response_type": "code", "client_id": client.client_id, "redirect_uri": CALLBACK, "scope": "openid profile",
        "state": base64.urlsafe_b64encode(os.urandom(24)).decode(), "nonce": "n", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    })  # fmt: skip

    def accept(hand: int, response: http.client.HTTPResponse, body: bytes) -> bool:
        return response.status == 303 and "&code=" in (response.headers["Location"] or "")

    return Load("authorize", lambda hand: ("GET", f"/oauth/authorize?{query}", None, {"Cookie": cookies[hand]}), accept)


def _is(status: int) -> Callable[[int, http.client.HTTPResponse, bytes], bool]:
    return lambda hand, response, body: response.status == status


# --- measuring


def _measure(load: Load, settings: Settings, server: int, seconds: float) -> Result:
    _load(load, settings, WARM_UP)
    before, started = _cpu_seconds(server), time.perf_counter()
    latencies, wrong = _load(load, settings, seconds)
    return Result(latencies, wrong, time.perf_counter() - started, _cpu_seconds(server) - before)


def _load(load: Load, settings: Settings, seconds: float) -> tuple[list[float], int]:
    """All connections for so long; latencies in seconds and the number of wrong answers."""
    latencies: list[float] = []
    wrong: list[int] = []
    deadline = time.perf_counter() + seconds

    def hand(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=20)
        while (begun := time.perf_counter()) < deadline:
            method, path, body, headers = load.request(number)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            latencies.append(time.perf_counter() - begun)
            if not load.accept(number, response, content):
                wrong.append(response.status)
        connection.close()

    threads = [threading.Thread(target=hand, args=(number,)) for number in range(HANDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
    return latencies, len(wrong)


if __name__ == "__main__":
    sys.exit(main())
