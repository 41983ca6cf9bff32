"""Initial access tokens on pages: given out, shown once, listed, revoked; by administrators, without JavaScript."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.signing_keys import ensure_signing_keys
from idp.models import AuditRecord, InitialAccessToken
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK
from tests.idp.web.admin.test_client_pages import shown
from tests.idp.web.browser import Browser

LIST = "/admin/initial-tokens"
LIBRARY = {"name": "Library <of> books", "scope": "openid email", "uses": "2", "days": "7"}


@pytest.fixture
def admin(make: Make) -> Browser:
    with make.app.app_context():
        ensure_signing_keys(make.here())
        db.session.commit()
        db.session.remove()
    browser = Browser(make)
    browser.sign_in(make.officer("admin", "admin", None))
    return browser


def given_out(admin: Browser, **changes: str) -> str:
    answer = admin.submit(LIST, LIBRARY | changes)
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    return shown(answer.text, "token")


def register(make: Make, token: str) -> TestResponse:
    """A client registers itself."""
    headers = {"Authorization": f"Bearer {token}"}
    metadata = {"client_name": "Shelves", "redirect_uris": [CALLBACK]}
    return make.app.test_client().post("/oauth/register", base_url="http://localhost", json=metadata, headers=headers)


def revoke(make: Make, admin: Browser) -> TestResponse:
    with make.app.app_context():
        token_id = db.session.scalars(sa.select(InitialAccessToken.id)).one()
    return admin.submit(f"{LIST}/{token_id}/revoke", {}, page=LIST)


def test_a_token_is_shown_once_and_registers_so_many_clients(make: Make, admin: Browser) -> None:
    assert "No token has been given out yet." in admin.get(LIST).text
    token = given_out(admin)
    assert token not in admin.get(LIST).text
    assert [register(make, token).status_code for _ in range(3)] == [201, 201, 401]
    page = admin.get(LIST).text
    assert "Library &lt;of&gt; books" in page
    assert "used up" in page
    assert "email openid" in page


def test_a_revoked_token_registers_nobody(make: Make, admin: Browser) -> None:
    token = given_out(admin)
    assert revoke(make, admin).headers["Location"] == LIST
    page = admin.get(LIST).text
    assert "The token is revoked." in page
    assert '<span class="tag">revoked</span>' in page
    assert register(make, token).status_code == 401
    revoke(make, admin)
    assert "Someone else has already dealt with this." in admin.get(LIST).text


def test_a_token_ends_with_its_last_day(make: Make, admin: Browser, clock: SetClock) -> None:
    token = given_out(admin, days="1")
    clock.advance(days=1)
    admin.sign_in(make.officer("other", "admin", None))
    assert "run out" in admin.get(LIST).text
    assert register(make, token).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", " "), ("name", "a\0b"), ("name", "x" * 201), ("scope", ""), ("scope", "openid clients.manage"),
     ("scope", 'a"b'), ("uses", "0"), ("uses", "10001"), ("uses", "many"), ("uses", ""), ("days", "367"), ("days", "-1"),
     ("days", "9" * 5000)],
)  # fmt: skip
def test_a_mistake_is_shown_at_its_field_and_nothing_is_given_out(
    make: Make, admin: Browser, field: str, value: str
) -> None:
    answer = admin.submit(LIST, LIBRARY | {field: value})
    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)">', answer.text) == [field]
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert ("Library &lt;of&gt; books" in answer.text) is (field != "name")
    with make.app.app_context():
        assert db.session.scalars(sa.select(InitialAccessToken)).all() == []


def test_what_was_given_out_and_taken_back_is_on_record_without_the_token(make: Make, admin: Browser) -> None:
    token = given_out(admin)
    revoke(make, admin)
    with make.app.app_context():
        acts = ("registration-allowed", "registration-revoked")
        trail: list[Any] = list(db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act.in_(acts))))
        told = [(one.act, one.actor) for one in trail]
        assert told == [("registration-allowed", "account/admin"), ("registration-revoked", "account/admin")]
        assert token not in str([(one.before, one.after, one.subject) for one in trail])


def test_nobody_else_finds_the_page(make: Make) -> None:
    for role in ("officer", "hr", "security"):
        browser = Browser(make)
        browser.sign_in(make.officer(role, role, None))
        assert browser.get(LIST).status_code == 404
