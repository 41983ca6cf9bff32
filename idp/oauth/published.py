"""The documents that are the same for everybody (metadata, public keys), answered without Flask.

Every client asks for them, many before each sign-in.  The views of `metadata.py` make the answer, with the headers that
every answer gets; here its bytes are kept: the metadata for the life of the process, the keys as long as
`published_keys` names the same ones.  Whatever is not a plain GET to our own host goes on to Flask.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp.flows.signing_keys import published_keys
from idp.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
KEYS = "/oauth/jwks"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the view said about `content`: status line, headers, body."""

    content: Any
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Published:
    """WSGI middleware in front of `app`, inside whatever rewrites the host by the word of a proxy."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._behind = app.wsgi_app
        self._service: Service = app.extensions["achkych"]
        self._host = self._service.settings.host
        self._kept: dict[str, Answer] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The answer that is kept, or Flask's."""
        path = environ.get("PATH_INFO", "")
        plain = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_HOST") == self._host
        answer = self._answer(path, environ) if plain and (path == KEYS or path in METADATA) else None
        if answer is None:
            return self._behind(environ, start_response)
        start_response(answer.status, list(answer.headers))  # a copy: it is the server's from here on
        return [answer.body]

    def _answer(self, path: str, environ: "WSGIEnvironment") -> Answer | None:
        """Nothing when the view fails, or can't be asked: Flask tells why."""
        try:
            content = self._keys() if path == KEYS else None
        except SQLAlchemyError:
            return None
        answer = self._kept.get(path)
        if answer is None or answer.content != content:
            answer = self._asked(content, environ)
            if answer.status == "200 OK":
                self._kept[path] = answer
        return answer

    def _keys(self) -> Any:
        with self._app.app_context():
            return published_keys(self._service)

    def _asked(self, content: Any, environ: "WSGIEnvironment") -> Answer:
        """The view's answer to a request that says nothing of who asks: it will be told to others."""
        neutral = {name: value for name, value in environ.items() if not name.startswith("HTTP_")}
        neutral |= {"HTTP_HOST": self._host, "QUERY_STRING": ""}
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], _: Any = None, /) -> Any:
            told.append((status, headers))

        body = b"".join(self._behind(neutral, begin))
        return Answer(content, *told[-1], body)
