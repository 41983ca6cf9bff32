"""Attempts in the mail count with all others (5.7): by Dovecot's own requests, and by a real Dovecot."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from idp.db import db, unit_of_work
from idp.flows.refusal import Refusal
from idp.flows.register_client import register_client
from idp.flows.sign_in import sign_in
from idp.models import AuditRecord, Lockout
from idp.settings import Settings
from tests.builders import PASSWORD, Make, settings_for
from tests.idp.api.dovecot import MAIL_PASSWORD, Dovecot
from tests.idp.oauth.driver import basic
from tests.postgres import free_port

ADDRESS = "aida@kstu.kg"
PLAIN = {"login": ADDRESS, "mech": "PLAIN", "protocol": "imap", "remote": "203.0.113.9", "tls": True}
Ask = Callable[..., TestResponse]


def registered(make: Make, scope: str = "attempts.count") -> tuple[str, str]:
    """The mail system's client."""
    said: dict[str, Any] = {"client_name": "Mail", "grant_types": ["client_credentials"], "scope": scope}
    with make.app.app_context(), unit_of_work():
        name, secret = register_client(make.here(), said, None)
    assert secret is not None
    return name, secret


@pytest.fixture
def ask(make: Make) -> Ask:
    """A request as Dovecot makes it."""
    client, secret = registered(make)
    headers = {"Authorization": basic(client, secret)}

    def asked(command: str, **said: Any) -> TestResponse:
        return make.app.test_client().post(
            f"/api/attempts?command={command}",
            json=PLAIN | said,
            headers=headers,
            base_url=make.service.settings.base_url,
        )

    return asked


def wrong(ask: Ask, **said: Any) -> int:
    """One wrong password in the mail; the status that Dovecot was told before it."""
    status = int(ask("allow", **said).get_json()["status"])
    answer = ask("report", success=False, policy_reject=status != 0, **said)
    assert (answer.status_code, answer.get_json()["status"]) == (200, 0)
    return status


def at_the_page(make: Make, password: str = PASSWORD) -> str:
    with make.app.app_context(), unit_of_work():
        outcome = sign_in(make.here(), "aida", password)
        return outcome.code if isinstance(outcome, Refusal) else "in"


def counted(app: Flask, login: str = "aida") -> tuple[int, bool]:
    with app.app_context():
        row = db.session.execute(sa.select(Lockout.attempts, Lockout.locked_at).where(Lockout.login == login)).one()
        db.session.remove()
    return row.attempts, row.locked_at is not None


def trail(app: Flask) -> list[tuple[str, str, str | None]]:
    with app.app_context():
        rows = db.session.execute(sa.select(AuditRecord.act, AuditRecord.actor, AuditRecord.address)).all()
        db.session.remove()
    return [tuple(row) for row in rows]


# --- Dovecot's requests


@pytest.mark.parametrize("name", [ADDRESS, "Aida@KSTU.kg", "aida", "ai\u200bda@kstu.kg"])
def test_four_wrong_passwords_in_the_mail_lock_the_login_everywhere(
    make: Make, app: Flask, ask: Ask, name: str
) -> None:
    make.account("aida")
    assert [wrong(ask, login=name) for _ in range(6)] == [0, 0, 0, 0, -1, -1]
    assert counted(app) == (6, True)
    assert at_the_page(make) == "locked"
    assert len([act for act, _, _ in trail(app) if act == "locked"]) == 1


def test_the_page_and_the_mail_share_one_counter(make: Make, app: Flask, ask: Ask) -> None:
    make.account("aida")
    assert [at_the_page(make, "wrong-1"), at_the_page(make, "wrong-2")] == ["wrong"] * 2
    assert [wrong(ask), wrong(ask), wrong(ask)] == [0, 0, -1]


def test_a_right_password_in_the_mail_takes_back_its_own_attempt_and_no_other(make: Make, app: Flask, ask: Ask) -> None:
    """The mail may keep a password of its own: whoever knows it must not have endless guesses at ours."""
    make.account("aida")
    assert [at_the_page(make, "wrong-1"), at_the_page(make, "wrong-2")] == ["wrong"] * 2
    for _ in range(5):
        assert ask("allow").get_json()["status"] == 0
        ask("report", success=True)
    assert counted(app) == (2, False)


def test_a_token_is_nobodys_guess(make: Make, app: Flask, ask: Ask) -> None:
    make.account("aida")
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        assert {wrong(ask, mech=mechanism) for _ in range(9)} == {0}
    assert at_the_page(make) == "in"


def test_what_nobody_could_look_at_does_not_count(make: Make, app: Flask, ask: Ask) -> None:
    make.account("aida")
    for _ in range(9):
        assert ask("allow").get_json()["status"] == 0
        ask("report", success=False, fail_type="internal")
    assert counted(app) == (0, False)


def test_the_trail_names_the_mail_and_where_the_guess_came_from(make: Make, app: Flask, ask: Ask) -> None:
    make.account("aida")
    wrong(ask)
    [(_, actor, address)] = [row for row in trail(app) if row[0] == "sign-in-refused"]
    assert (actor.startswith("client/"), address) == (True, "203.0.113.9")


def test_one_client_of_the_mail_is_refused_before_it_has_locked_many(make: Make, ask: Ask) -> None:
    answers = [wrong(ask, login=f"nobody{number // 4}") for number in range(40)]
    assert answers[:28] == [0] * 28
    assert answers[30:] == [-1] * 10
    assert wrong(ask, remote="198.51.100.4") == 0, "another one is not"


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [
        ("deny", {}, 400),
        ("allow", {"login": 7}, 422),
        ("report", {"success": "yes"}, 422),
        ("allow", {"login": "\x00"}, 400),
    ],
)
def test_other_requests_are_told_why_and_count_nothing(
    app: Flask, ask: Ask, command: str, said: dict[str, Any], status: int
) -> None:
    assert ask(command, **said).status_code == status
    assert [act for act, _, _ in trail(app) if act == "sign-in-refused"] == []


def test_only_a_client_with_its_secret_and_the_scope_is_answered(make: Make) -> None:
    client, secret = registered(make)
    other = registered(make, "orders:read")

    def answer(headers: dict[str, str]) -> tuple[int, str | None]:
        response = make.app.test_client().post(
            "/api/attempts?command=allow", json=PLAIN, headers=headers, base_url=make.service.settings.base_url
        )
        return response.status_code, response.headers.get("WWW-Authenticate")

    assert answer({}) == (401, 'Basic realm="attempts"')
    assert answer({"Authorization": basic(client, secret[:-1] + "x")})[0] == 401
    assert answer({"Authorization": basic(*other)})[0] == 403
    assert answer({"Authorization": basic(client, secret)})[0] == 200


# --- a real Dovecot


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, base_url=f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def dovecot(make: Make, settings: Settings) -> Iterator[Dovecot]:
    """It and the service, both on loopback."""
    client, secret = registered(make)
    port = int(settings.host.partition(":")[2])
    server = make_server("127.0.0.1", port, make.app, threaded=True, request_handler=Quiet)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with Dovecot(settings.base_url, f"{client}:{secret}") as running:
        yield running
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_real_dovecot_locks_at_the_fourth_wrong_password_and_refuses_the_right_one(
    make: Make, app: Flask, dovecot: Dovecot
) -> None:
    make.account("aida")
    assert dovecot.sign_in(ADDRESS, MAIL_PASSWORD)
    assert not any(dovecot.sign_in(ADDRESS, f"wrong-{number}") for number in range(4))
    assert counted(app) == (4, True)
    assert not dovecot.sign_in(ADDRESS, MAIL_PASSWORD)
    assert at_the_page(make) == "locked"


def test_of_many_guesses_at_once_a_real_dovecot_looks_at_four(make: Make, app: Flask, dovecot: Dovecot) -> None:
    make.account("aida")
    with ThreadPoolExecutor(10) as pool:
        assert not any(pool.map(lambda number: dovecot.sign_in(ADDRESS, f"wrong-{number}"), range(20)))
    acts = [act for act, _, _ in trail(app)]
    assert (acts.count("locked"), counted(app)[1]) == (1, True)
    assert dovecot.looked() == 4


def test_tokens_that_a_real_dovecot_does_not_take_lock_nobody(make: Make, dovecot: Dovecot) -> None:
    make.account("aida")
    assert not any(dovecot.bring_token(ADDRESS, "made-up") for _ in range(6))
    assert at_the_page(make) == "in"
