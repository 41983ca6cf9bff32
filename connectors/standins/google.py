"""A stand-in of Google Workspace on loopback: the token endpoint (RFC 7523) and the Directory API.

Owns HTTP, tokens and their scopes, faults on demand, and the file the users and groups are kept in.
"""

import json
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from connectors.google import GROUP_SCOPE, SCOPES, GoogleSettings
from connectors.google_rest import ROOT
from connectors.google_token import GRANT
from connectors.standins.google_site import ERRORS, Refused, Site
from connectors.standins.listening import Listening

SERVICE_ACCOUNT, ADMINISTRATOR = "provisioning@stand-in.example", "admin@example.edu"
KEY = r"/([^/]+)"
HOLD = 30  # seconds that a caller who gets no answer is held at most


class GoogleStandin(Listening):
    """Listens from entering to leaving; with `tls` over https.

    `faults` holds answers for the next calls of the API, first in first out: a status (500), a reason of `ERRORS`,
    'garbage' (200 with a page) or 'hang' (does the work and never answers).  `site` and `delegated` may be changed.
    """

    def __init__(self, folder: Path, port: int = 0, tls: ssl.SSLContext | None = None,
                 clock: Callable[[], float] = time.monotonic) -> None:  # fmt: skip
        super().__init__(port, tls)
        self.folder, self.site = folder, Site(clock)
        self.delegated = {*SCOPES, GROUP_SCOPE}
        self.faults: list[int | str] = []
        self.calls: list[tuple[str, str]] = []  # method and path of the API, in order
        self._tokens: dict[str, set[str]] = {}
        self._one_at_a_time = threading.Lock()

    @property
    def settings(self) -> GoogleSettings:
        """How a connector reaches this stand-in."""
        return GoogleSettings(
            service_account=SERVICE_ACCOUNT, key_id="stand-in-key", administrator=ADMINISTRATOR, settle_seconds=0,
            private_key=self._key_file.read_text(), url=self.url, token_url=f"{self.url}/token",
        )  # fmt: skip

    def with_groups(self, *departments: str) -> GoogleSettings:
        """Settings with a group per department, after making the groups of these."""
        for code in departments:
            self.site.groups.setdefault(f"dept-{code.lower()}@example.edu", set())
        return replace(self.settings, department_group="dept-{department}@example.edu")

    def serve(self, address: tuple[str, int]) -> HTTPServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._load()
        return ThreadingHTTPServer(address, type("Handler", (_Handler,), {"standin": self}))

    def grant(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body of the token endpoint."""
        try:
            claims = jwt.decode(form.get("assertion", ""), self._key, algorithms=["RS256"]).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": SERVICE_ACCOUNT}, sub={"essential": True, "value": ADMINISTRATOR},
                aud={"essential": True, "value": f"{self.url}/token"}, exp={"essential": True}, iat={"essential": True},
            ).validate(claims)  # fmt: skip
        except (JoseError, ValueError):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        scopes = set(str(claims.get("scope", "")).split())
        if form.get("grant_type") != GRANT or claims["exp"] - claims["iat"] > 3600:
            return 400, {"error": "invalid_request"}
        if not scopes or not scopes <= self.delegated:
            return 401, {"error": "unauthorized_client", "error_description": "Client is unauthorized."}
        token = secrets.token_urlsafe(32)
        self._tokens[token] = scopes
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def revoke_tokens(self) -> None:
        """None of the tokens so far is taken any more."""
        self._tokens.clear()

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any], token: str) -> Any:
        """The JSON of one call, None for an empty answer; `Refused` carries the reason."""
        self.calls.append((method, path))
        if token not in self._tokens:
            raise Refused("authError")
        for allowed, pattern, scope, act in ROUTES:
            if allowed == method and (match := re.fullmatch(pattern, path)):
                if scope not in self._tokens[token]:
                    raise Refused("insufficientPermissions")
                with self._one_at_a_time:
                    result = act(self.site, [unquote(key) for key in match.groups()], query, body)
                    self._save()
                return result
        raise Refused("notFound")

    def _load(self) -> None:
        if not self._key_file.exists():
            self._key_file.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
        self._key = RSAKey.import_key(self._key_file.read_text())
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            self.site.restore(kept["users"], kept["groups"])

    def _save(self) -> None:
        groups = {address: sorted(members) for address, members in self.site.groups.items()}
        self._file.write_text(json.dumps({"users": self.site.users, "groups": groups}, ensure_ascii=False, indent=1))

    @property
    def _file(self) -> Path:
        return self.folder / "google.json"

    @property
    def _key_file(self) -> Path:
        return self.folder / "google-key.pem"


Act = Callable[[Site, list[str], dict[str, str], dict[str, Any]], Any]
USERS, SECURITY = SCOPES
ROUTES: list[tuple[str, str, str, Act]] = [
    ("GET", "/users", USERS, lambda site, keys, query, body: site.page(query)),
    ("POST", "/users", USERS, lambda site, keys, query, body: site.insert(body)),
    ("GET", f"/users{KEY}", USERS, lambda site, keys, query, body: site.get(*keys)),
    ("PATCH", f"/users{KEY}", USERS, lambda site, keys, query, body: site.patch(keys[0], body)),
    ("DELETE", f"/users{KEY}", USERS, lambda site, keys, query, body: site.delete(*keys)),
    ("POST", f"/users{KEY}/signOut", SECURITY, lambda site, keys, query, body: site.sign_out(*keys)),
    ("GET", f"/users{KEY}/asps", SECURITY, lambda site, keys, query, body: site.credentials("asps", *keys)),
    ("GET", f"/users{KEY}/tokens", SECURITY, lambda site, keys, query, body: site.credentials("tokens", *keys)),
    ("DELETE", f"/users{KEY}/asps{KEY}", SECURITY, lambda site, keys, q, b: site.remove_credential("asps", *keys)),
    ("DELETE", f"/users{KEY}/tokens{KEY}", SECURITY, lambda site, keys, q, b: site.remove_credential("tokens", *keys)),
    ("GET", "/groups", GROUP_SCOPE, lambda site, keys, query, body: site.list_groups(query)),
    ("GET", f"/groups{KEY}", GROUP_SCOPE, lambda site, keys, query, body: site.get_group(*keys)),
    ("POST", f"/groups{KEY}/members", GROUP_SCOPE, lambda site, keys, query, body: site.add_member(keys[0], body)),
    ("DELETE", f"/groups{KEY}/members{KEY}", GROUP_SCOPE, lambda site, keys, q, b: site.remove_member(*keys)),
]
"""Method, path, the scope it needs, what it does."""


class _Handler(BaseHTTPRequestHandler):
    """One request, to the token endpoint or to the API."""

    standin: GoogleStandin

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        where = urlsplit(self.path)
        if where.path == "/token":
            return self._send(*self.standin.grant(dict(parse_qsl(body))))
        if not where.path.startswith(ROOT):
            return self._page(404)
        fault = self.standin.faults.pop(0) if self.standin.faults else None
        if isinstance(fault, int) or fault == "garbage":
            return self._page(fault if isinstance(fault, int) else 200)
        status, answer = self._answer(where.path.removeprefix(ROOT), dict(parse_qsl(where.query)), body, fault)
        if fault == "hang":
            self.standin.stopping.wait(HOLD)
            self.close_connection = True
            return None
        return self._send(status, answer)

    do_GET = do_PATCH = do_DELETE = do_POST

    def _answer(self, path: str, query: dict[str, str], body: str, fault: str | None) -> tuple[int, Any]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if fault and fault != "hang":
                raise Refused(fault)
            answer = self.standin.answer(self.command, path, query, json.loads(body or "{}"), token)
        except Refused as refused:
            status, message = ERRORS[str(refused)]
            item = {"domain": "global", "reason": str(refused), "message": message}
            return status, {"error": {"code": status, "message": message, "errors": [item]}}
        return (200, answer) if answer is not None else (204, None)

    def _page(self, status: int) -> None:
        """What something in between answers: no JSON."""
        self._send(status, None, b"<!DOCTYPE html>")

    def _send(self, status: int, answer: Any, page: bytes = b"") -> None:
        body = page if answer is None else json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if page else "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        if status in (429, 503):
            self.send_header("Retry-After", "30")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses stand in the paths."""
