"""What people and programs are told when something goes wrong, whatever it is."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, g
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import NotFound

from idp.db import db, reader
from idp.errors import Busy, Forbidden
from idp.flows.record import record
from idp.models import AuditRecord
from tests.builders import Make
from tests.idp.web.browser import Browser


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/hr/v1/orders/x/versions/y", "/health/nowhere"])
def test_programs_get_problem_details_where_nothing_is(make: Make, path: str) -> None:
    answer = make.browser().get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.get_json()["status"] == 404
    assert answer.get_json()["reference"]


def test_programs_get_problem_details_for_a_wrong_method_and_the_right_ones(make: Make) -> None:
    answer = make.browser().get("/api/hr/v1/orders")
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [("GET", "/oauth/nowhere", 404, "invalid_request"), ("GET", "/oauth/token", 405, "invalid_request"),
     ("POST", "/.well-known/openid-configuration", 405, "invalid_request")],
)  # fmt: skip
def test_clients_get_the_json_of_their_standard(make: Make, method: str, path: str, status: int, error: str) -> None:
    answer = make.browser().open(path, method=method)
    assert (answer.status_code, answer.mimetype, answer.get_json()["error"]) == (status, "application/json", error)


def test_a_client_that_sends_too_much_gets_json(make: Make) -> None:
    answer = make.browser().post("/oauth/token", data={"code": "x" * 1_100_000})
    assert (answer.status_code, answer.mimetype) == (413, "application/json")


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [("/account", "text/html"), ("/sign-in", "text/html"), ("/oauth/authorize", "text/html"),
     ("/oauth/jwks", "application/json"), ("/api/hr/v1/orders/a/versions/1", "application/problem+json")],
)  # fmt: skip
def test_a_crash_is_told_without_its_cause(make: Make, app: Flask, path: str, mimetype: str) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    endpoint, _ = app.url_map.bind("localhost").match(path)
    app.view_functions[endpoint] = _crash
    answer = browser.get(path)
    assert (answer.status_code, answer.mimetype) == (500, mimetype)
    assert "sekrit" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("error", [NotFound(), Forbidden("see-desk"), RuntimeError("sekrit"), Busy()], ids=repr)
def test_what_an_exception_interrupts_is_not_kept(make: Make, app: Flask, error: Exception) -> None:
    def begin() -> None:
        record(g.here, "begun")
        raise error

    app.view_functions["account.home"] = begin
    assert make.browser().get("/").status_code >= 400
    with app.app_context():
        assert db.session.scalars(sa.select(AuditRecord.act)).all() == []


def test_the_error_page_is_shown_though_the_database_is_down(make: Make, app: Flask) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    with app.app_context():
        engines = (db.engine, reader())

    def refuse(*_: Any) -> None:
        raise OperationalError("", {}, Exception("no database"))

    for engine in engines:
        event.listen(engine, "do_connect", refuse)
        engine.dispose()
    try:
        for path in ("/account", "/nowhere", "/sign-in?request=x"):
            answer = browser.get(path)
            assert (answer.status_code, answer.mimetype) == (500, "text/html")
            assert re.search(r"500 · [\w-]{16}", answer.text)
        assert make.browser().get("/health/ready").mimetype == "application/problem+json"
        assert make.browser().get("/nowhere").status_code == 404
    finally:
        for engine in engines:
            event.remove(engine, "do_connect", refuse)


@pytest.mark.parametrize("path", ["/nowhere", "/sign-in", "/sign-out", "/health/ready", "/oauth/nowhere"])
def test_looking_takes_no_lock(make: Make, app: Flask, path: str) -> None:
    """SQLite has one writer: a page that only tells something must not queue for it."""
    browser = Browser(make)
    if path != "/sign-in":
        browser.sign_in(make.account())
    began: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda c, cu, statement, *_: began.append(statement))
    browser.get(path)
    assert not [statement for statement in began if statement.startswith("BEGIN")]


def test_a_request_for_another_host_is_refused(make: Make) -> None:
    assert make.browser().get("/sign-in", base_url="http://evil.example").status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 401), ({"Sec-Fetch-Site": "cross-site"}, 400),
     ({"Sec-Fetch-Site": "same-site", "Origin": "null"}, 400), ({"Origin": "https://evil.example"}, 400),
     ({"Origin": "http://localhost"}, 401), ({"Origin": "null"}, 401)],
)  # fmt: skip
def test_a_form_from_another_site_is_refused(make: Make, headers: dict[str, str], status: int) -> None:
    """ASVS 3.5.1.  Our Referrer-Policy makes browsers send `Origin: null` even to ourselves."""
    answer = Browser(make).submit("/sign-in", {"login": "aida", "password": "wrong"}, headers=headers)
    assert answer.status_code == status


def _crash(**_: Any) -> None:
    raise RuntimeError("sekrit")
