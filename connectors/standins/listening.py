"""What stand-ins over HTTP have in common: a server on loopback, listening from entering to leaving.

Owns the socket and the thread; what is answered is the stand-in's.
"""

import ssl
import threading
from abc import ABC, abstractmethod
from http.server import HTTPServer
from types import TracebackType
from typing import Self


class Listening(ABC):
    """On `port` (0 = a free one), with `tls` over https.  `stopping` frees whoever holds a caller."""

    base = ""  # path under which the service answers

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.stopping = threading.Event()
        self._wanted_port, self._tls = port, tls
        self._server: HTTPServer | None = None

    @abstractmethod
    def serve(self, address: tuple[str, int]) -> HTTPServer:
        """A server bound to this address, everything it answers from being there."""

    def __enter__(self) -> Self:
        self._server = server = self.serve(("127.0.0.1", self._wanted_port))
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        self.port = server.server_port
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{self.base}"
        self.stopping.clear()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
