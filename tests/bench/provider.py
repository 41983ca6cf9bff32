"""What the flows must know of a provider they drive; the same flows drive all."""

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START = 60.0  # seconds a provider may take to answer
GOODBYE = 20.0  # seconds it may take to end
DISCOVERY = "/.well-known/openid-configuration"
CALLBACK = "https://rp.example/callback"
LAST_LINES, LONGEST_REASON = 2, 300  # lines and characters of a log that are told as a reason
WORKERS = 2  # web processes of each provider


class NotDrivenError(Exception):
    """A provider that could not be brought to run; the text says why, for the report."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered confidential client, known by `client_secret_basic`."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of this run."""

    login: str
    password: str


@dataclass(frozen=True)
class Provider:
    """A running provider; `more` is what its authorization and token requests carry beyond the standard."""

    name: str
    version: str
    port: int
    pid: int  # of the process that started all others
    log: Path
    client: Client  # for people: authorization code and refresh token
    machine: Client  # for itself: client credentials
    people: list[Someone]
    scope: str = "openid profile"
    more: dict[str, str] = field(default_factory=dict)
    database: int | None = None  # process of a database server that works for it alone

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


@contextmanager
def running(name: str, command: list[str], port: int, log: Path, environment: dict[str, str]) -> Iterator[int]:
    """A provider's processes; gives the id of the first once the port answers.  Raises `NotDrivenError`."""
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        _wait(name, server, port, log)
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def tail(text: str) -> str:
    """The last lines of an output, for a reason in the report."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "[INFO]" not in line]
    return " | ".join(lines[-LAST_LINES:])[-LONGEST_REASON:].replace("|", "/")


def _wait(name: str, server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", DISCOVERY)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise NotDrivenError(f"{name} does not answer: {tail(log.read_text('utf8', 'replace'))}")
