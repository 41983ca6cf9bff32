"""A relying party and its people, for tests of the provider: requests over WSGI, no network."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.db import db
from idp.flows.register_client import register_client
from idp.flows.sessions import start_session
from idp.models import Account
from idp.web.place import cookie_name
from policies.assurance import BEST
from tests.builders import Make, Someone

CALLBACK = "https://rp.example/callback?tenant=7"
AFTER = "https://rp.example/bye"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Registered:
    """A client and the secret it got, None for a public one."""

    client_id: str
    secret: str | None


class Party:
    """Plays clients and browsers against one application."""

    def __init__(self, app: Flask, make: Make) -> None:
        self.app, self.make = app, make
        self.base = make.service.settings.base_url

    def client(self, **changes: Any) -> Registered:
        """A registered client; by default one of the university's own that does everything.

        `changes` are metadata by their standard names, `system`, or a shorter word for one of them.
        """
        values: dict[str, Any] = {
            "client_name": "Test system",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [AFTER],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email affiliation orders:read",
            "first_party": True,
        } | _in_standard_words(changes)
        with self.app.app_context():
            made = register_client(self.make.here(), values, values.pop("system", None))
            db.session.commit()
            db.session.remove()
        return Registered(*made)

    def browser(self, someone: Someone | None = None) -> FlaskClient:
        """A browser, with a live session of `someone`."""
        browser = self.app.test_client()
        if someone is not None:
            self.sign_in(browser, someone)
        return browser

    def sign_in(self, browser: FlaskClient, someone: Someone) -> None:
        """Give the browser a session that begins now."""
        with self.app.app_context():
            amr = BEST if someone.recovery_codes else ("pwd",)
            token = start_session(self.make.here(), db.session.get_one(Account, someone.id), amr)
            db.session.commit()
            db.session.remove()
        browser.set_cookie(
            cookie_name(self.make.service.settings, "session"), token, domain=urlsplit(self.base).hostname or ""
        )

    def authorize(self, browser: FlaskClient, client: Registered, method: str = "GET", **changes: Any) -> TestResponse:
        """The browser comes from the client; a change to None leaves a parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        asked = {name: value for name, value in parameters.items() if value is not None}
        place: dict[str, Any] = {"query_string": asked} if method == "GET" else {"data": asked}
        return browser.open("/oauth/authorize", method=method, base_url=self.base, **place)

    def code(self, someone: Someone, client: Registered, **changes: Any) -> str:
        """A fresh code."""
        answer = answer_of(self.authorize(self.browser(someone), client, **changes))
        return answer["code"]

    def token(
        self, client: Registered | None, headers: dict[str, str] | None = None, query: str = "", **form: Any
    ) -> TestResponse:
        """A request to the token endpoint, by `client_secret_basic` where there is a secret."""
        return self._post("/oauth/token" + query, client, headers or {}, form)

    def redeem(self, client: Registered, code: str, /, **changes: Any) -> TestResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        } | changes
        return self.token(client, **{name: value for name, value in form.items() if value is not None})

    def tokens(self, someone: Someone, client: Registered, **changes: Any) -> dict[str, Any]:
        """The token response of a whole code flow."""
        response = self.redeem(client, self.code(someone, client, **changes))
        assert response.status_code == 200, response.text
        return dict(response.get_json())

    def refresh(self, client: Registered, refresh_token: str, **more: Any) -> TestResponse:
        return self.token(client, grant_type="refresh_token", refresh_token=refresh_token, **more)

    def revoke(self, client: Registered | None, **form: Any) -> TestResponse:
        return self._post("/oauth/revoke", client, {}, form)

    def userinfo(self, access_token: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.app.test_client().get("/oauth/userinfo", base_url=self.base, headers=headers)

    def _post(
        self, path: str, client: Registered | None, headers: dict[str, str], form: dict[str, Any]
    ) -> TestResponse:
        if client is not None and client.secret is not None:
            headers = {"Authorization": basic(client.client_id, client.secret)} | headers
        elif client is not None:
            form = {"client_id": client.client_id} | form
        return self.app.test_client().post(path, base_url=self.base, data=form, headers=headers)


def _in_standard_words(changes: dict[str, Any]) -> dict[str, Any]:
    words = {"name": "client_name", "pkce_required": "require_pkce", "scopes": "scope"}
    named = {words.get(name, name): value for name, value in changes.items()}
    if named.pop("public", False):
        named |= {"token_endpoint_auth_method": "none", "application_type": "native"}
    return named


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def answer_of(response: TestResponse, target: str = "https://rp.example/callback") -> dict[str, str]:
    """The parameters the client receives; checks that the browser really goes to the client."""
    assert response.status_code == 303, response.text
    location = urlsplit(response.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == target
    return dict(parse_qsl(location.query)) | dict(parse_qsl(location.fragment))


def claims_in(token: str) -> dict[str, Any]:
    """What a JWT says, unchecked."""
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def header_of(token: str) -> dict[str, Any]:
    header = token.split(".")[0]
    return dict(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))))
