"""Load on one server: hands that take turns over kept-alive connections, and what that took.

Owns HTTP as far as a load generator needs it, on raw sockets, since the generator shares the machine with the server
it measures.  What is sent and which answer is right is told in `flows.py`, whose CPU time counts in `processes.py`.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

HANDS = 8  # connections, each with one request under way
WARM_TURNS, LONGEST_WARM_UP = 1000, 6.0  # turns and seconds before measuring, whichever is first
PATIENCE = 20.0  # seconds for one answer
AFTER_WRONG = 0.05  # seconds a hand rests: a refusal is cheap, and thousands of them say no more than ten
CHUNK = 65_536  # bytes read at once


class WrongError(Exception):
    """An answer that is not what the flow must bring."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response; names of headers are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, empty when there is none."""
        return next((value for key, value in self.headers if key == name), "")


class Connection:
    """One kept-alive connection; opens again when the server has closed it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self._socket: socket.socket | None = None
        self._rest = b""

    def exchange(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: str | None = None
    ) -> Answer:
        """Send one request and read its answer; raises `OSError` or `WrongError`."""
        if self._socket is None:
            self._socket = socket.create_connection(self.address, PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket.sendall(self._request(method, target, headers or {}, body))
            answer = self._answer()
        except BaseException:
            self.close()
            raise
        if answer.header("connection").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _request(self, method: str, target: str, headers: dict[str, str], body: str | None) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.address[0]}:{self.address[1]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body.encode())}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode()

    def _answer(self) -> Answer:
        head, _, self._rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in rest]
        headers = [(name.lower(), value.strip()) for name, _, value in pairs]
        answer = Answer(int(first.split(" ", 2)[1]), headers, b"")
        if answer.header("transfer-encoding").lower() == "chunked":
            return Answer(answer.status, headers, self._chunks())
        return Answer(answer.status, headers, self._take(int(answer.header("content-length") or 0)))

    def _chunks(self) -> bytes:
        body = b""
        while True:
            size, _, self._rest = self._until(b"\r\n").partition(b"\r\n")
            chunk = self._take(int(size.split(b";")[0], 16) + 2)
            if chunk == b"\r\n":
                return body
            body += chunk[:-2]

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._read()
        return self._rest

    def _take(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._read()
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken

    def _read(self) -> None:
        received = self._socket.recv(CHUNK) if self._socket else b""
        if not received:
            raise WrongError("the connection was closed in the middle")
        self._rest += received


Turn = Callable[[Connection, int], None]  # one pass through a flow by hand number ...; raises WrongError


@dataclass
class Tally:
    """What the hands saw: seconds each right turn took, and why others were wrong."""

    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def load(turn: Turn, address: tuple[str, int], seconds: float, hands: int = HANDS) -> Tally:
    """All hands take turns for so long; a turn that has begun is finished."""
    tally = Tally()
    begun = time.perf_counter()
    threads = [
        threading.Thread(target=_take_turns, args=(turn, address, number, begun + seconds, tally))
        for number in range(hands)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds = time.perf_counter() - begun
    return tally


def warm_up(turn: Turn, address: tuple[str, int]) -> None:
    """Turns that are not counted: an engine that compiles as it runs needs them, by number and not by time."""
    begun, turns = time.perf_counter(), 0
    while turns < WARM_TURNS and time.perf_counter() - begun < LONGEST_WARM_UP:
        turns += len(load(turn, address, seconds=1.0).latencies)


def _take_turns(turn: Turn, address: tuple[str, int], number: int, deadline: float, tally: Tally) -> None:
    connection = Connection(address)
    while (begun := time.perf_counter()) < deadline:
        try:
            turn(connection, number)
            tally.latencies.append(time.perf_counter() - begun)
        except (WrongError, OSError, ValueError) as error:  # a ValueError is an answer that can't be read
            tally.wrong.append(f"{type(error).__name__}: {error}"[:300])
            connection.close()
            time.sleep(AFTER_WRONG)
    connection.close()
