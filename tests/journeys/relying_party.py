"""A system people come from: a page on loopback that sends the browser to the sign-in and redeems the code."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class RelyingParty:
    """Its address, what it was answered, and its use of the answer."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.callback = f"{base}/callback"
        self.bye = f"{base}/bye"
        self.answers: list[dict[str, str]] = []

    def sign_in_url(self, issuer: str, client_id: str, **more: str) -> str:
        asked = {
            "response_type": "code", "client_id": client_id, "redirect_uri": self.callback, "scope": "openid profile",
            "state": "s-1", "nonce": "n-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{issuer}/oauth/authorize?{urlencode(asked | more)}"

    def redeem(self, issuer: str, client_id: str, secret: str) -> dict[str, Any]:
        """The claims of the ID token for the newest code, and the token itself under `raw`."""
        form = {"grant_type": "authorization_code", "code": self.answers[-1]["code"], "redirect_uri": self.callback,
                "code_verifier": VERIFIER}  # fmt: skip
        credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        request = Request(f"{issuer}/oauth/token", urlencode(form).encode(), {"Authorization": f"Basic {credentials}"})
        with urlopen(request, timeout=10) as answer:
            token = json.load(answer)["id_token"]
        payload = token.split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))) | {"raw": token}


@contextmanager
def relying_party() -> Iterator[RelyingParty]:
    """Served on a port of its own, so it is another origin."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/callback":
                party.answers.append(dict(parse_qsl(address.query)))
            self._answer(address.path)

        def do_POST(self) -> None:
            """What a form brings (Form Post Response Mode)."""
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            party.answers.append(dict(parse_qsl(body)))
            self._answer(self.path)

        def _answer(self, path: str) -> None:
            text = f"<!doctype html><html lang=en><title>UNET</title><link rel=icon href=data:,><h1>{path}</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    party = RelyingParty(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield party
    server.shutdown()
    thread.join()
    server.server_close()
