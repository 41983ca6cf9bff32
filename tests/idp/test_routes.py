"""Each route x who asks: the table of the guard is what really happens; headers, hosts, origins and form tokens."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.clock import SetClock
from idp.db import db
from idp.flows.here import at_work
from idp.flows.signing_keys import ensure_signing_keys
from idp.settings import Settings
from idp.web.guard import ROUTES
from idp.web.place import cookie_name
from tests.builders import Make, settings_for
from tests.idp.web.browser import TOKEN, Browser

VISITORS = ("anonymous", "newcomer", "person", "officer", "hr", "security", "admin")
MAY_SEE = {"see-desk": {"officer", "admin"}, "see-people": {"officer", "hr", "security", "admin"},
           "see-order": {"hr", "admin"}, "register-client": {"admin"},
           "handle-misuse": {"security", "admin"}, "confirm-change": {"hr", "admin"}, "reconcile": {"admin"},
           "import-orders": {"hr", "admin"}}  # fmt: skip
PROGRAMS = ("orders.", "clients.", "attempts.", "health.", "oauth.", "scim.")
ENDING = {
    "signout.submit",
    "oauth.logout",
    "report_misuse.submit_own",
}  # for anybody, and nobody would be signed in any more for the rest
FRAMED = {"oauth.check_session"}  # stands in foreign frames (tests/idp/oauth/test_check_session.py)
TO_SIGN_IN = re.compile(r"/(sign-in|continue|agreement)(\?|$)")


@pytest.fixture
def settings(database_url: str) -> Settings:
    """With every door there may be."""
    return settings_for(database_url, scim=True)


@pytest.fixture
def visitors(app: Flask, make: Make) -> dict[str, Browser]:
    """Everybody, signed in."""
    with app.app_context():
        ensure_signing_keys(at_work(app.extensions["achkych"], "test"))
        db.session.commit()
        db.session.remove()
    people = {role: make.officer(role, role, None) for role in ("officer", "hr", "security", "admin")}
    people |= {"person": make.account("person"), "newcomer": make.account("newcomer", accepted=False)}
    browsers = {"anonymous": Browser(make)}
    for name, someone in people.items():
        browsers[name] = Browser(make)
        browsers[name].sign_in(someone)
    return browsers


def routes(app: Flask) -> Iterator[tuple[Route, str]]:
    for route in app.url_map.iter_rules():
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield route, method


def url(route: Route) -> str:
    """An address of the route; nothing has these ids."""
    values: dict[str, Any] = dict.fromkeys(route.arguments, "x")
    values |= {
        name: UUID(int=1)
        for name in route.arguments
        if name.endswith(
            (
                "_pk",
                "account_id",
                "decision_id",
                "task_id",
                "token_id",
                "session_id",
                "case_id",
                "factor_id",
                "change_id",
                "reset_id",
                "finding_id",
                "import_id",
                "file_id",
            )
        )
    }
    values |= {"version": 1} if "version" in route.arguments else {}
    _, path = route.build(values, append_unknown=False) or ("", "")
    return str(path)


def ask(browser: Browser, route: Route, method: str) -> TestResponse:
    """With a good form token, where the route is a form's."""
    data = {}
    if method == "POST" and not route.endpoint.startswith(PROGRAMS):
        found = TOKEN.search(browser.get("/account", follow_redirects=True).text)
        assert found is not None
        data = {"csrf_token": found.group(1)}
    return browser._client.open(url(route), method=method, base_url="http://localhost", data=data or None)


def is_sent_away(answer: TestResponse) -> bool:
    return answer.status_code == 303 and bool(TO_SIGN_IN.match(urlsplit(answer.headers["Location"]).path))


def test_every_route_lets_in_exactly_whom_its_row_names(
    app: Flask, visitors: dict[str, Browser], subtests: pytest.Subtests
) -> None:
    for route, method in routes(app):
        rule = ROUTES[route.endpoint]
        for who in VISITORS if route.endpoint not in ENDING else ():
            with subtests.test(f"{method} {route.rule} by {who}"):
                answer = ask(visitors[who], route, method)
                arrived = who not in {"anonymous", "newcomer"}
                if rule.signed_in and (who == "anonymous" or (rule.arrived and not arrived)):
                    assert is_sent_away(answer)
                elif rule.act and who not in MAY_SEE[rule.act]:
                    assert answer.status_code == 404
                elif rule.act and not route.arguments and method == "GET":
                    assert answer.status_code == 200
                else:
                    assert answer.status_code < 500


def test_every_form_is_refused_without_its_token_and_changes_nothing(app: Flask, visitors: dict[str, Browser]) -> None:
    for route, method in routes(app):
        if method == "GET" or route.endpoint.startswith(PROGRAMS):
            continue
        for sent in ({}, {"csrf_token": ""}, {"csrf_token": "made-up"}):
            answer = visitors["admin"].post(url(route), data=sent)
            assert answer.status_code == 400, route.rule


def test_the_token_of_another_browser_is_none(make: Make, visitors: dict[str, Browser]) -> None:
    found = re.search(r'name="csrf_token" value="([^"]+)"', visitors["person"].get("/account").text)
    assert found is not None
    assert visitors["admin"].post("/sign-out", data={"csrf_token": found.group(1)}).status_code == 400


def test_every_answer_carries_the_headers(app: Flask, visitors: dict[str, Browser], subtests: pytest.Subtests) -> None:
    for route, method in routes(app):
        if route.endpoint in ENDING | FRAMED:
            continue
        with subtests.test(f"{method} {route.rule}"):
            answer = ask(visitors["admin"], route, method)
            held = answer.headers
            policy = held["Content-Security-Policy"]
            for part in (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ):
                assert part in policy
            assert "unsafe" not in policy
            assert "*" not in policy
            assert held["X-Content-Type-Options"] == "nosniff"
            assert held["Referrer-Policy"] == "no-referrer"
            assert held["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "Server" not in held
            if route.endpoint not in {"static", "bootstrap.static", "oauth.jwks", "oauth.metadata"}:
                assert "no-store" in held["Cache-Control"]


@pytest.mark.parametrize("path", ["/nothing/here", "/api/nothing", "/desk/%00", "/sign-in/../../etc/passwd", "/%ff"])
def test_answers_about_nothing_carry_the_headers_too(make: Make, path: str) -> None:
    answer = make.browser().get(path, base_url="http://localhost")
    assert answer.status_code in {400, 404}
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:81", "127.0.0.1", "LOCALHOST.", ""]
)
def test_only_our_own_host_is_answered(make: Make, host: str) -> None:
    for path in ("/sign-in", "/oauth/authorize", "/api/hr/v1/orders", "/.well-known/openid-configuration"):
        assert make.browser().get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "told", [{"Origin": "https://evil.example"}, {"Origin": "http://localhost:81"}, {"Origin": "https://localhost"},
             {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://localhost.evil.example"}],
)  # fmt: skip
def test_a_form_with_its_token_is_refused_from_another_origin(make: Make, told: dict[str, str]) -> None:
    browser, someone = Browser(make), make.account()
    fields = {"login": someone.login, "password": someone.password}
    assert browser.submit("/sign-in", fields, headers=told).status_code == 400
    assert browser.get("/account").status_code == 303
    assert browser.submit("/sign-in", fields).status_code == 303


def test_a_route_nobody_decided_about_does_not_start(
    app: Flask, settings: Any, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ROUTES, "desk.lift")
    with pytest.raises(RuntimeError, match=r"desk\.lift"):
        create_app(settings, clock)


def test_the_table_names_no_route_that_is_gone(app: Flask) -> None:
    assert ROUTES.keys() == {route.endpoint for route in app.url_map.iter_rules()}


def test_over_https_cookies_are_bound_to_host_and_transport(app: Flask, database_url: str, clock: SetClock) -> None:
    secure = create_app(settings_for(database_url, base_url="https://id.kstu.kg", environment="production",
                                     mail={"sender": "a@kstu.kg"}), clock)  # fmt: skip
    browser = secure.test_client()
    answer = browser.get("/sign-in", base_url="https://id.kstu.kg")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-achkych-")
        for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in cookie
        assert "Max-Age" not in cookie
        assert "Expires" not in cookie
    assert cookie_name(secure.extensions["achkych"].settings, "session") == "__Host-achkych-session"
    with secure.app_context():
        db.engine.dispose()
