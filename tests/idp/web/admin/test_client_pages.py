"""Clients on pages: from registration to removal, by administrators, without JavaScript."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from idp.db import db
from idp.models import AuditRecord, Client
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered
from tests.idp.web.browser import Browser

LIST, NEW = "/admin/clients", "/admin/clients/new"
LIBRARY: dict[str, Any] = {
    "client_name": "Library <of> Kyrgyz & Russian books",
    "system": "moodle",
    "redirect_uris": f"{CALLBACK}\r\nhttps://rp.example/other\r\n",
    "post_logout_redirect_uris": "",
    "token_endpoint_auth_method": "client_secret_basic",
    "application_type": "web",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid email",
    "require_pkce": "yes",
    "first_party": "yes",
    "security_profile": "",
    "rest": '{"backchannel_logout_uri": "https://rp.example/out"}',
}


@pytest.fixture
def admin(make: Make) -> Browser:
    browser = Browser(make)
    browser.sign_in(make.officer("admin", "admin", None))
    return browser


def shown(page: str, what: str) -> str:
    found = re.search(rf'id="{what}">([^<]+)<', page)
    assert found is not None, page
    return found.group(1)


def registered(browser: Browser, **changes: Any) -> Registered:
    answer = browser.submit(NEW, LIBRARY | changes)
    assert answer.status_code == 200, answer.text
    secret = shown(answer.text, "client_secret") if 'id="client_secret"' in answer.text else None
    return Registered(shown(answer.text, "client_id"), secret)


def stored(make: Make, client: Registered) -> dict[str, Any]:
    with make.app.app_context():
        row = db.session.scalars(sa.select(Client).where(Client.client_id == client.client_id)).one()
        return {"system": row.system, **row.registration}


def test_a_client_is_registered_and_its_secret_shown_this_once(make: Make, admin: Browser) -> None:
    client = registered(admin)
    assert Party(make.app, make).revoke(client, token="x").status_code == 200
    held = stored(make, client)
    assert (held["system"], held["scope"], held["first_party"]) == ("moodle", "email openid", True)
    assert held["redirect_uris"] == [CALLBACK, "https://rp.example/other"]
    assert held["backchannel_logout_uri"] == "https://rp.example/out"
    page = admin.get(f"{LIST}/{client.client_id}").text
    assert client.secret is not None
    assert client.secret not in page + admin.get(LIST).text
    assert "Library &lt;of&gt; Kyrgyz &amp; Russian books" in page
    assert "no-store" in admin.get(f"{LIST}/{client.client_id}").headers["Cache-Control"]


def fields_on(page: str) -> dict[str, Any]:
    """What a browser would send if nothing were touched."""
    form = page[page.index('id="client"') :].partition("</form>")[0]
    texts = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    inputs = re.findall(r'<input class="form-control[^>]*name="(\w+)" value="([^"]*)"', form)
    chosen = re.findall(r'<select[^>]*name="(\w+)".*?<option value="([^"]*)" selected>', form, re.DOTALL)
    ticked = re.findall(r'type="checkbox"[^>]*name="(\w+)" value="([^"]*)" checked', form)
    fields: dict[str, Any] = {name: value.replace("&#34;", '"') for name, value in (*texts, *inputs, *chosen)}
    boxes = {name: value for name, value in ticked if name != "grant_types"}
    return fields | boxes | {"grant_types": [value for name, value in ticked if name == "grant_types"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": "Library"},
        {"client_name": "Service", "grant_types": ["client_credentials"], "redirect_uris": "", "system": ""},
        {"client_name": "Application", "token_endpoint_auth_method": "none", "application_type": "native"},
        {"client_name": "Hybrid", "rest": '{"response_types": ["code id_token"], "claims": []}'},
    ],
)
def test_saving_a_client_as_it_is_shown_changes_nothing(make: Make, admin: Browser, changes: dict[str, Any]) -> None:
    client = registered(admin, **changes)
    before, path = stored(make, client), f"{LIST}/{client.client_id}"
    answer = admin.submit(path, fields_on(admin.get(path).text))
    assert answer.status_code == 303
    assert stored(make, client) == before
    assert "The client is changed." in admin.get(path).text


def test_a_client_is_changed_and_the_change_recorded(make: Make, admin: Browser) -> None:
    client = registered(admin)
    path = f"{LIST}/{client.client_id}"
    fields = fields_on(admin.get(path).text) | {"client_name": "Reading room", "system": "", "rest": ""}
    fields.pop("first_party")
    assert admin.submit(path, fields).status_code == 303
    held = stored(make, client)
    assert (held["client_name"], held["system"], held["first_party"]) == ("Reading room", None, False)
    assert "backchannel_logout_uri" not in held
    with make.app.app_context():
        trail = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "client-changed")).one()
    assert trail.actor == "account/admin"
    assert [(trail.before or {})["system"], (trail.after or {})["system"]] == ["moodle", None]
    assert Party(make.app, make).revoke(client, token="x").status_code == 200


def test_a_client_that_comes_to_need_a_secret_is_shown_it(make: Make, admin: Browser) -> None:
    client = registered(admin, token_endpoint_auth_method="none", application_type="native")
    assert client.secret is None
    path = f"{LIST}/{client.client_id}"
    assert "/secret" not in admin.get(path).text
    assert admin.submit(f"{path}/secret", {}, page=path).status_code == 404
    fields = fields_on(admin.get(path).text) | {"token_endpoint_auth_method": "client_secret_post"}
    secret = shown(admin.submit(path, fields).text, "client_secret")
    assert Party(make.app, make).revoke(Registered(client.client_id, secret), token="x").status_code == 200


def test_a_new_secret_kills_the_old_one(make: Make, admin: Browser) -> None:
    client, party = registered(admin), Party(make.app, make)
    path = f"{LIST}/{client.client_id}"
    secret = shown(admin.submit(f"{path}/secret", {}, page=path).text, "client_secret")
    assert party.revoke(client, token="x").status_code == 401
    assert party.revoke(Registered(client.client_id, secret), token="x").status_code == 200


def test_a_client_is_removed_only_after_a_question(make: Make, admin: Browser) -> None:
    client = registered(admin)
    path = f"{LIST}/{client.client_id}"
    assert "Remove Library" in admin.get(f"{path}/remove").text
    assert Party(make.app, make).revoke(client, token="x").status_code == 200
    assert admin.submit(f"{path}/remove", {}).headers["Location"].endswith(LIST)
    assert client.client_id not in admin.get(LIST).text
    for page in (path, f"{path}/remove"):
        assert admin.get(page).status_code == 404
    assert Party(make.app, make).revoke(client, token="x").status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_uris": "http://rp.example/"}, "redirect_uris"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"client_name": "x" * 201}, "client_name"),
        ({"scope": "clients.manage"}, "scope"),
        ({"system": "nowhere"}, "system"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"security_profile": "fapi2-security"}, "token_endpoint_auth_method"),
        ({"rest": "{"}, "rest"),
        ({"rest": "[]"}, "rest"),
        ({"rest": '{"colour": "red"}'}, "rest"),
        ({"rest": '{"scope": "openid"}'}, "rest"),
        ({"rest": '{"jwks": {"keys": []}}'}, "rest"),
        ({"rest": '{"client_uri": "\\u0000"}'}, "rest"),
    ],
)
def test_what_does_not_hold_is_told_at_its_field_and_nothing_typed_is_lost(
    make: Make, admin: Browser, changes: dict[str, Any], field: str
) -> None:
    client = registered(admin)
    before = stored(make, client)
    for path in (NEW, f"{LIST}/{client.client_id}"):
        answer = admin.submit(path, LIBRARY | changes)
        assert answer.status_code == 422
        assert f'<a href="#{field}"' in answer.text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
        assert "Library &lt;of&gt;" in answer.text or "client_name" in changes
    assert stored(make, client) == before


def test_all_mistakes_are_told_at_once(admin: Browser) -> None:
    page = admin.submit(NEW, LIBRARY | {"redirect_uris": "http://rp.example/", "rest": "{"}).text
    assert '<a href="#redirect_uris"' in page
    assert '<a href="#rest"' in page


def test_only_administrators_find_the_room(make: Make, admin: Browser) -> None:
    assert f'href="{LIST}"' in admin.get("/account").text
    officer = Browser(make)
    officer.sign_in(make.officer("officer", "officer"))
    assert LIST not in officer.get("/account").text
    assert officer.get(LIST).status_code == 404


@pytest.mark.parametrize("language", ["ky", "ru"])
def test_the_pages_speak_the_readers_language(make: Make, language: str) -> None:
    browser = Browser(make, language)
    browser.sign_in(make.officer("admin", "admin", None))
    pages = "".join(browser.get(path).text for path in (LIST, NEW))
    for english in ("Register a client", "What it may do", "Sign people in", "Redirect URIs after sign-out"):
        assert english not in pages
