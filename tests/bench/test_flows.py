"""A provider that answers wrongly is found out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.bench.browser import Browser, filled
from tests.bench.flows import Flows
from tests.bench.load import Connection, WrongError, load
from tests.bench.provider import CALLBACK, Client, Provider, Someone

KEY, OTHER_KEY = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
PAGE = """<form method="post" action="/language"><input name="language" value="ky"></form>
<form method="post" action="/sign-in?request=7&amp;x=1"><input type="hidden" name="csrf_token" value="a&quot;b">
<input name="login" value=""><input type='password' name='password'><button>Sign in</button></form>"""


@dataclass
class Answers:
    """What the server under the flows says; a test makes one of them wrong."""

    signs_rightly: bool = True
    changes: dict[str, Any] = field(default_factory=dict)  # of the token response
    state: str | None = None
    status: int = 200
    documents: int = 0  # how often discovery was asked for
    unsteady: bool = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Answers

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        documents = {"/.well-known/openid-configuration": self._discovery, "/jwks": self._jwks}
        if url.path in documents:
            return self._send(200, json.dumps(documents[url.path]()))
        state = self.answers.state or parse_qs(url.query)["state"][0]
        return self._send(303, "", {"Location": f"{CALLBACK}?{urlencode({'code': 'c', 'state': state})}"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        header = {"alg": "ES256", "kid": KEY.kid}
        token = jwt.encode(header, {"iss": self._issuer()}, KEY if self.answers.signs_rightly else OTHER_KEY)
        given = {"access_token": token, "id_token": token, "refresh_token": "new"} | self.answers.changes
        self._send(self.answers.status, json.dumps({name: value for name, value in given.items() if value}))

    def _issuer(self) -> str:
        return f"http://{self.headers['Host']}"

    def _discovery(self) -> dict[str, Any]:
        self.answers.documents += self.answers.unsteady
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return {"issuer": self._issuer(), "times": self.answers.documents} | {
            name: self._issuer() + path for name, path in places.items()
        }

    def _jwks(self) -> dict[str, Any]:
        return {"keys": [KEY.as_dict(private=False)]}

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body.encode()))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@contextmanager
def flows_on(answers: Answers) -> Iterator[Flows]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Handler,), {"answers": answers}))
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client, port = Client("client", "secret"), server.server_address[1]
    flows = Flows(Provider("test", "0", port, 0, Path(), client, client, [Someone("aida", "secret")] * 8))
    flows.browsers, flows.refresh_tokens = [Browser() for _ in range(8)], ["old"] * 8
    yield flows
    flows._connection.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("flow", ["discovery", "JWKS", "client credentials", "refresh", "sign-on", "sign-in"])
def test_right_answers_are_right(flow: str) -> None:
    with flows_on(Answers()) as flows:
        flows.turn(flow)
        assert "access ES256" in flows.seen.get(flow, "access ES256")


@pytest.mark.parametrize(
    ("flow", "answers", "why"),
    [
        ("refresh", Answers(changes={"refresh_token": "old"}), "not replaced"),
        ("refresh", Answers(changes={"refresh_token": None}), "without refresh_token"),
        ("sign-on", Answers(changes={"id_token": None}), "without id_token"),
        ("sign-on", Answers(state="of somebody else"), "no code"),
        ("sign-on", Answers(signs_rightly=False), "access_token: "),
        ("sign-in", Answers(state="of somebody else"), "no code"),
        ("client credentials", Answers(status=401), "401 at the token endpoint"),
        ("discovery", Answers(unsteady=True), "another document"),
    ],
)
def test_a_wrong_answer_is_wrong(flow: str, answers: Answers, why: str) -> None:
    with flows_on(answers) as flows, pytest.raises(WrongError, match=why):
        flows.turn(flow)


def test_a_server_that_begins_to_sign_otherwise_is_wrong_from_then_on() -> None:
    with flows_on(answers := Answers()) as flows:
        turn = flows.turn("client credentials")
        answers.changes = {"access_token": "a-short-token"}
        tally = load(turn, flows.provider.address, 0.05, hands=2)
        assert (tally.latencies, len(tally.wrong)) == ([], 2)
        assert "first access ES256" in tally.wrong[0]


def test_hands_count_each_turn_once() -> None:
    with flows_on(Answers()) as flows:
        turns: list[int] = []

        def turn(connection: Connection, hand: int) -> None:
            flows.discovery(connection, hand)
            turns.append(hand)

        tally = load(turn, flows.provider.address, 0.1, hands=2)
        assert len(tally.latencies) == len(turns) > 0
        assert set(turns) == {0, 1}
        assert tally.wrong == []


def test_the_form_that_asks_for_a_password_is_filled_in() -> None:
    action, fields = filled(PAGE, Someone("aida", "Tash"))
    assert action == "/sign-in?request=7&amp;x=1"
    assert fields == {"csrf_token": 'a"b', "login": "aida", "password": "Tash"}


def test_cookies_are_kept_and_taken_away() -> None:
    browser = Browser()
    for cookie in ("a=1; Path=/; HttpOnly", "b=2", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"):
        browser._keep(cookie)
    assert browser.cookies == {"b": "2"}
