"""The limit per client (5.7): it bites before one client has locked many accounts, and nobody else feels it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.db import db, unit_of_work
from idp.errors import Busy
from idp.flows.here import Here
from idp.flows.refusal import Refusal
from idp.flows.sign_in import sign_in
from idp.models import Lockout
from idp.throttle import Throttle
from policies.throttle import ThrottleRules
from tests.builders import PASSWORD, Make
from tests.idp.web.browser import Browser
from tests.missing import missing
from tests.postgres import free_port

HERE, THERE = "203.0.113.7", "198.51.100.1"
RULES = ThrottleRules(wrong=3, window=timedelta(minutes=10))


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server, which forgets everything."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        missing("the Debian package redis-server")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        _wait_for(f"redis://127.0.0.1:{port}")
        yield f"redis://127.0.0.1:{port}"
        server.terminate()


def _wait_for(store: str) -> None:
    throttle, deadline = Throttle(store), time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(Busy):
            throttle.is_over(HERE, RULES)
            return
        time.sleep(0.05)
    raise AssertionError("redis-server does not answer")


def attempt(make: Make, login: str, password: str = "Not-the-1-password", address: str = HERE) -> str:
    with make.app.app_context(), unit_of_work():
        here = make.here()
        outcome = sign_in(_at(here, address), login, password)
        return outcome.code if isinstance(outcome, Refusal) else "in"


def _at(here: Here, address: str) -> Here:
    return Here(here.service, here.now, here.actor, here.request_id, address)


def locked(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).where(Lockout.locked_at.is_not(None))) or 0


def test_one_client_locks_no_more_than_a_handful_of_accounts(make: Make, app: Flask) -> None:
    make.account("aida")
    told = [attempt(make, f"person{number // 4}") for number in range(60)]
    assert told[29:] == ["wrong", *["throttled"] * 30]
    assert locked(app) == 7
    assert attempt(make, "aida", PASSWORD) == "throttled"
    assert attempt(make, "aida", PASSWORD, THERE) == "in"


def test_what_is_right_is_not_counted(make: Make) -> None:
    make.account("aida")
    assert {attempt(make, "aida", PASSWORD) for _ in range(40)} == {"in"}


def test_the_page_says_so_and_the_attempt_is_not_counted(make: Make, app: Flask) -> None:
    browser = Browser(make)
    for number in range(30):
        browser.submit("/sign-in", {"login": f"nobody{number}", "password": "x"})
    answer = browser.submit("/sign-in", {"login": "somebody", "password": "x"})
    assert answer.status_code == 429
    assert "Too many wrong sign-ins from here" in answer.text
    with app.app_context():
        assert db.session.get(Lockout, ("somebody", "")) is None


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    return "memory://" if request.param == "memory" else str(request.getfixturevalue("redis"))


def test_each_client_has_its_own_count(store: str) -> None:
    throttle = Throttle(store)
    for _ in range(3):
        assert not throttle.is_over("192.0.2.1", RULES)
        throttle.note("192.0.2.1", RULES)
    assert throttle.is_over("192.0.2.1", RULES)
    assert not throttle.is_over("192.0.2.2", RULES)
    assert not throttle.is_over(None, RULES)


def test_the_institutions_own_networks_may_do_more(store: str) -> None:
    throttle, rules = Throttle(store), ThrottleRules(wrong=1, wrong_inside=2)
    throttle.note("192.0.2.9", rules, inside=True)
    assert not throttle.is_over("192.0.2.9", rules, inside=True)
    throttle.note("192.0.2.9", rules, inside=True)
    assert throttle.is_over("192.0.2.9", rules, inside=True)


def test_the_count_is_forgotten_after_the_window(store: str) -> None:
    throttle, rules = Throttle(store), ThrottleRules(wrong=1, window=timedelta(seconds=1))
    throttle.note("192.0.2.3", rules)
    assert throttle.is_over("192.0.2.3", rules)
    time.sleep(1.1)
    assert not throttle.is_over("192.0.2.3", rules)


def test_processes_share_the_count_in_redis(redis: str) -> None:
    here, there = Throttle(redis), Throttle(redis)
    for throttle in (here, there, here):
        throttle.note("192.0.2.4", RULES)
    assert there.is_over("192.0.2.4", RULES)


def test_a_store_that_does_not_answer_lets_nobody_in() -> None:
    throttle = Throttle(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(Busy):
        throttle.is_over("192.0.2.5", RULES)
    with pytest.raises(Busy):
        throttle.note("192.0.2.5", RULES)
