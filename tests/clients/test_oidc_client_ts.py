"""oidc-client-ts in Chromium: a public client whose pages come from another origin than ours."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, Response, jsonify, send_from_directory
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.builders import Someone
from tests.clients.node import HERE, installed
from tests.clients.served import serving
from tests.idp.oauth.driver import Party
from tests.missing import missing
from tests.postgres import free_port

CODE_ONLY = ["authorization_code"]
WITH_REFRESH = ["authorization_code", "refresh_token"]
CODE_FLOW = ["GET authorize", "POST token authorization_code", "GET userinfo"]


@dataclass(frozen=True)
class Application:
    """The application in its page, and what the provider was asked by it."""

    page: Page
    asked: list[str]

    def says(self) -> Any:
        """What it found out, once it has."""
        status = self.page.locator("#status")
        expect(status).not_to_be_empty()
        return json.loads(status.text_content() or "")

    def press(self, button: str) -> Any:
        """Press a button; what it found out then.  Requests from here on are told apart from those before."""
        self.asked.clear()
        self.page.evaluate("document.getElementById('status').textContent = ''")
        self.page.click(f"#{button}")
        return self.says()

    def sign_in(self, someone: Someone) -> Any:
        """By the button, through the sign-in page and back."""
        self.page.click("#sign-in")
        self.page.fill("#login", someone.login)
        self.page.fill("#password", someone.password)
        self.page.click("main form button.btn-primary")
        self.page.wait_for_url("**/index.html?*")
        return self.says()

    def sign_out(self) -> Any:
        """By the button, by way of the provider and back."""
        self.asked.clear()
        self.page.click("#sign-out")
        self.page.wait_for_url("**/index.html?bye*")
        return self.says()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium-headless-shell")
    if program is None:
        missing("the Debian package chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(locale="en") as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


@contextmanager
def application(issuer: Party, page: Page, grant_types: list[str], host: str = "127.0.0.1") -> Iterator[Application]:
    """The application, registered, served at `host` and open in the browser."""
    port = free_port()
    home = f"http://{host}:{port}"
    client = issuer.client(
        token_endpoint_auth_method="none", grant_types=grant_types,
        redirect_uris=[f"{home}/index.html", f"{home}/renewed.html"],
        post_logout_redirect_uris=[f"{home}/index.html?bye"],
    )  # fmt: skip
    asked: list[str] = []
    page.on("request", lambda request: asked.extend(_described(request)))
    with serving(site({"authority": issuer.base, "client_id": client.client_id}), port):
        page.goto(f"{home}/index.html")
        yield Application(page, asked)


def site(settings: dict[str, str]) -> Flask:
    """The home of the application: files, and what differs from test to test as /settings.json."""
    site = Flask("site", static_folder=None)
    library = installed() / "oidc-client-ts/dist/browser"

    @site.get("/settings.json")
    def tell() -> Response:
        return jsonify(settings)

    @site.get("/<name>")
    def file(name: str) -> Response:
        return send_from_directory(library if name.startswith("oidc-client-ts") else HERE / "spa", name)

    return site


def _described(request: Request) -> list[str]:
    endpoint = request.url.partition("/oauth/")[2].partition("?")[0]
    form = request.post_data_json or {} if request.method == "POST" else {}
    return [f"{request.method} {endpoint} {form.get('grant_type', '')}".strip()] if endpoint else []


@pytest.mark.parametrize(
    ("grant_types", "renewal"),
    [(WITH_REFRESH, ["POST token refresh_token", "GET userinfo"]), (CODE_ONLY, CODE_FLOW)],
    ids=["refresh-token", "frame"],
)
def test_an_application_in_the_browser_signs_in_renews_silently_and_signs_out(
    issuer: Party, page: Page, grant_types: list[str], renewal: list[str]
) -> None:
    someone = issuer.make.account()
    with application(issuer, page, grant_types) as app:
        assert app.says() is None
        first = app.sign_in(someone)
        assert app.asked == CODE_FLOW
        told = {name: first["profile"][name] for name in ("sub", "preferred_username", "email")}
        assert told == {"sub": someone.sub, "preferred_username": "aida", "email": "aida@kstu.kg"}
        assert first["state"] == "deep/link"
        second = app.press("renew")
        assert app.asked == renewal
        assert second["profile"]["sub"] == someone.sub
        assert second["access"] != first["access"]
        assert app.sign_out() is None
        assert app.asked[-1] == "GET logout"
        assert set(app.asked[:-1]) == {"POST revoke"}
        assert app.press("renew") == {"error": "login_required"}
    refused = issuer.userinfo(second["access"])
    assert refused.status_code == 401, "what the application held is worth nothing any more"


def test_a_frame_on_a_foreign_site_learns_nothing_of_the_session(issuer: Party, page: Page) -> None:
    """Browsers send a SameSite cookie to no frame of another site: who is elsewhere renews by refresh token."""
    with application(issuer, page, CODE_ONLY, host="localhost") as app:
        assert app.sign_in(issuer.make.account())["profile"]["preferred_username"] == "aida"
        assert app.press("renew") == {"error": "login_required"}
