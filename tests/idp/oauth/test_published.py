"""The documents that are answered before Flask: as Flask would answer, and never older than they may be."""

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.rotate_keys import rotate_keys
from idp.flows.signing_keys import forget_keys
from idp.models import SigningKey
from idp.oauth.published import KEYS, METADATA
from tests.builders import settings_for
from tests.idp.oauth.driver import Party

PUBLISHED = (*METADATA, KEYS)


def ask(party: Party, path: str, method: str = "GET", **headers: str) -> TestResponse:
    return party.app.test_client().open(path, method=method, base_url=party.base, headers=headers)


def kids(party: Party) -> set[str]:
    return {key["kid"] for key in ask(party, KEYS).get_json()["keys"]}


@pytest.mark.parametrize("path", PUBLISHED)
def test_what_is_kept_is_what_the_view_says(party: Party, path: str) -> None:
    first, kept = ask(party, path), ask(party, path)
    assert (first.status_code, first.mimetype) == (200, "application/json")
    assert (kept.data, list(kept.headers)) == (first.data, list(first.headers))
    assert kept.headers["Access-Control-Allow-Origin"] == "*"
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert kept.headers["Cache-Control"] == "public, max-age=300"
    assert kept.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", PUBLISHED)
def test_what_is_kept_needs_no_view(party: Party, path: str) -> None:
    ask(party, path)
    endpoint, _ = party.app.url_map.bind("localhost").match(path)
    party.app.view_functions[endpoint] = lambda: ("another answer", 500)
    assert ask(party, path).status_code == 200


@pytest.mark.parametrize("path", PUBLISHED)
def test_other_methods_are_answered_as_everywhere(party: Party, path: str) -> None:
    whole = ask(party, path)
    head = ask(party, path, "HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)
    assert ask(party, path, "OPTIONS").status_code == 200
    refused = ask(party, path, "POST")
    assert (refused.status_code, refused.get_json()["error"]) == (405, "invalid_request")
    assert {"GET", "HEAD", "OPTIONS"} == set(refused.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", PUBLISHED)
def test_another_host_gets_nothing_even_when_the_answer_is_at_hand(party: Party, path: str) -> None:
    ask(party, path)
    assert ask(party, path, Host="evil.example").status_code == 400


def test_nothing_of_who_asked_first_is_told_to_others(party: Party) -> None:
    told = {
        "Origin": "https://evil.example",
        "Cookie": "achkych-session=x",
        "Accept-Language": "ky",
        "Range": "bytes=0-1",
    }
    answer = party.app.test_client().get(f"{KEYS}?lang=ru&x=evil", base_url=party.base, headers=told)
    assert "evil" not in str(answer.headers) + answer.text
    assert "Set-Cookie" not in answer.headers
    assert (answer.status_code, answer.data) == (200, ask(party, KEYS).data)


def test_new_keys_are_published_as_soon_as_this_process_knows_them(party: Party) -> None:
    before = kids(party)
    with party.app.app_context(), unit_of_work():
        rotate_keys(party.make.here(), ["ES256"])
    forget_keys_of(party.app)
    assert kids(party) > before


def test_a_failure_is_not_kept(party: Party) -> None:
    endpoint, _ = party.app.url_map.bind("localhost").match(KEYS)
    view = party.app.view_functions[endpoint]
    party.app.view_functions[endpoint] = lambda: ("out of order", 500)
    assert ask(party, KEYS).status_code == 500
    party.app.view_functions[endpoint] = view
    assert ask(party, KEYS).status_code == 200


def test_without_a_database_the_keys_fail_in_the_words_of_the_provider(party: Party) -> None:
    assert ask(party, KEYS).status_code == 200
    with party.app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE {SigningKey.__tablename__} RENAME TO gone"))
    forget_keys_of(party.app)
    answer = ask(party, KEYS)
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")


def test_behind_a_proxy_the_host_is_the_one_the_proxy_names(database_url: str, clock: SetClock) -> None:
    app = create_app(settings_for(database_url, trusted_proxies=1, base_url="http://id.example"), clock)
    client = app.test_client()
    for told, status in (({"X-Forwarded-Host": "id.example"}, 200), ({}, 400), ({"X-Forwarded-Host": "evil"}, 400)):
        assert client.get(METADATA[0], base_url="http://inside", headers=told).status_code == status
    with app.app_context():
        db.engine.dispose()


def forget_keys_of(app: Flask) -> None:
    """Look at the table again, as happens every few seconds."""
    with app.app_context():
        forget_keys()
