"""What happens to an account is told to other systems: by tokens or by signed webhooks, until they have heard it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from standardwebhooks import Webhook

from idp.cli.events import events
from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.choose_password import set_password
from idp.flows.record import record
from idp.flows.sessions import end_all_sessions
from idp.flows.signing_keys import ensure_signing_keys, published_keys
from idp.models import Account, EventNotice, Link
from idp.provisioning.carry_out import carry_out
from idp.provisioning.lease import claim
from idp.provisioning.periodic import do_periodic
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import Workshop
from idp.settings import Settings
from idp.standard_webhooks import is_signed, new_key, new_key_pair, signed_headers
from tests.builders import Make, Someone, settings_for
from tests.idp.oauth.driver import Party
from tests.idp.oauth.listening_client import recorded
from tests.idp.provisioning.engine import environment
from tests.idp.provisioning.listening_receiver import Receiver, opened, receiving
from tests.idp.provisioning.orders import Desk, dismissal, hire

SECRET = new_key()
SIGNS, VERIFIES = new_key_pair()
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"


@pytest.fixture
def unet() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def moodle() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def receivers(unet: Receiver, moodle: Receiver) -> dict[str, dict[str, Any]]:
    return {
        "unet": {"kind": "set", "url": unet.base + "/ssf", "audience": "https://unet.example.org",
                 "authorization": "Bearer of-unet"},
        "moodle": {"kind": "webhook", "url": moodle.base + "/hook", "keys": [SECRET, SIGNS],
                   "events": ["account-disabled", "session-revoked"]},
    }  # fmt: skip


@pytest.fixture
def settings(database_url: str, receivers: dict[str, Any]) -> Settings:
    return settings_for(database_url, receivers=receivers)


@pytest.fixture
def aida(make: Make) -> Someone:
    with make.app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    return make.account()


def act(make: Make, someone: Someone, name: str, **after: Any) -> None:
    with make.app.app_context(), unit_of_work():
        record(make.here(), name, db.session.get_one(Account, someone.id), after=after)


def end_sessions(make: Make, someone: Someone) -> None:
    with make.app.app_context(), unit_of_work():
        end_all_sessions(make.here(), db.session.get_one(Account, someone.id), "factors-reset")


def notices(app: Flask, *which: sa.ColumnElement[bool]) -> list[EventNotice]:
    """All of them, oldest first."""
    with app.app_context():
        found = list(db.session.scalars(sa.select(EventNotice).where(*which).order_by(EventNotice.id)))
        db.session.expunge_all()
        db.session.remove()
    return found


def at(app: Flask, receiver: str) -> list[EventNotice]:
    return notices(app, EventNotice.receiver == f"receivers/{receiver}")


def keys_of(app: Flask) -> dict[str, Any]:
    with app.app_context():
        return published_keys(app.extensions["achkych"])


def test_a_token_says_what_the_standards_want_and_nothing_else(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock
) -> None:
    end_sessions(make, aida)
    clock.advance(seconds=3)
    runner.run_until_idle()
    ((path, headers, body),) = unet.heard
    assert (path, headers["content-type"]) == ("/ssf", "application/secevent+jwt")
    assert (headers["accept"], headers["authorization"]) == ("application/json", "Bearer of-unet")
    header, claims = opened(body.decode(), keys_of(make.app))
    (notice,) = at(make.app, "unet")
    moment = int(clock.now().timestamp()) - 3
    assert header["typ"] == "secevent+jwt"
    assert claims == {
        "iss": "http://localhost",
        "aud": "https://unet.example.org",
        "iat": moment,
        "jti": str(notice.id),
        "txn": notice.txn,
        "sub_id": {"format": "iss_sub", "iss": "http://localhost", "sub": aida.sub},
        "events": {CAEP + "session-revoked": {"event_timestamp": moment, "initiating_entity": "system"}},
    }


def test_the_twin_is_a_webhook_that_the_standard_package_and_we_accept(
    make: Make, aida: Someone, runner: Runner, moodle: Receiver, clock: SetClock
) -> None:
    end_sessions(make, aida)
    runner.run_until_idle()
    ((path, headers, body),) = moodle.heard
    (notice,) = at(make.app, "moodle")
    assert (path, headers["webhook-id"]) == ("/hook", str(notice.id))
    for key in (SECRET, VERIFIES):
        assert is_signed(headers, body, [key], clock.now())
    sent = headers["webhook-signature"].split(" ")[0]
    assert Webhook(SECRET).sign(headers["webhook-id"], clock.now(), body.decode()) == sent
    assert json.loads(body) == {
        "type": "session.revoked",
        "timestamp": "2026-09-09T12:00:00+06:00",
        "data": {"accountId": aida.sub, "txn": notice.txn, "initiating_entity": "system"},
    }


def test_a_dismissal_is_told_as_disabled_and_revoked_in_one_transaction(
    make: Make, desk: Desk, runner: Runner, unet: Receiver, number: int
) -> None:
    with make.app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    desk.receive(hire(number))
    runner.run_until_idle()
    unet.heard.clear()
    desk.receive(dismissal(number))
    runner.run_until_idle()
    told = [opened(token, keys_of(make.app))[1] for token in unet.tokens]
    assert [list(one["events"]) for one in told] == [[RISC + "account-disabled"], [CAEP + "session-revoked"]]
    assert len({one["txn"] for one in told}) == 1
    assert len({one["jti"] for one in told}) == 2
    assert not any(word in json.dumps(told) for word in ("3/", "shnet", desk.account(number).login))


def test_each_receiver_hears_what_it_wants(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, moodle: Receiver
) -> None:
    with make.app.app_context(), unit_of_work():
        set_password(make.here(), db.session.get_one(Account, aida.id), "a hash")
    act(make, aida, "signed-in")
    runner.run_until_idle()
    (claims,) = [opened(token, keys_of(make.app))[1] for token in unet.tokens]
    told = claims["events"][CAEP + "credential-change"]
    assert (told["credential_type"], told["change_type"]) == ("password", "update")
    assert moodle.heard == []


def test_what_is_rolled_back_is_told_to_nobody(make: Make, aida: Someone, runner: Runner, unet: Receiver) -> None:
    with make.app.app_context():
        end_all_sessions(make.here(), db.session.get_one(Account, aida.id), "test")
        db.session.rollback()
        db.session.remove()
    runner.run_until_idle()
    assert (unet.heard, notices(make.app)) == ([], [])


class TestClients:
    @pytest.fixture
    def receivers(self, unet: Receiver) -> dict[str, dict[str, Any]]:
        like = {"kind": "set", "url": unet.base, "audience": "a", "events": ["session-revoked"]}
        return {"pairwise": {**like, "client": "of-unet"}, "narrow": {**like, "system": "moodle"}}

    def test_a_receiver_that_is_a_client_hears_of_people_by_the_names_it_knows(
        self, make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock
    ) -> None:
        end_sessions(make, aida)
        runner.run_until_idle()
        assert (unet.heard, at(make.app, "pairwise")[0].last_error) == ([], "there is no client of-unet")
        client = Party(make.app, make).client(subject_type="pairwise")
        with make.app.app_context():
            db.session.execute(sa.text("UPDATE client SET client_id = 'of-unet' WHERE client_id = :old"),
                               {"old": client.client_id})  # fmt: skip
            db.session.commit()
            db.session.remove()
        clock.advance(seconds=5)
        runner.run_until_idle()
        (claims,) = [opened(token, keys_of(make.app))[1] for token in unet.tokens]
        assert claims["sub_id"]["sub"] not in (aida.sub, "")

    def test_a_receiver_for_one_system_hears_only_of_who_has_or_had_access_to_it(
        self, make: Make, aida: Someone, runner: Runner
    ) -> None:
        teacher = make.account("bermet", systems=("moodle",))
        with make.app.app_context():
            db.session.execute(sa.update(Link).where(Link.account_id == teacher.id).values(active=False))
            db.session.commit()
            db.session.remove()
        for one in (aida, teacher):
            end_sessions(make, one)
        assert [one.account_id for one in at(make.app, "narrow")] == [teacher.id]


@pytest.mark.parametrize(
    ("status", "body", "status_after", "reason", "seconds"),
    [
        (200, None, "waiting", "HTTP 200 instead of 202", 5),
        (302, None, "waiting", "HTTP 302", 5),
        (400, {"err": "invalid_request", "description": "secret things"}, "failed", "HTTP 400 invalid_request", None),
        (400, {"err": "invalid_issuer"}, "failed", "HTTP 400 invalid_issuer", None),
        (400, {"err": "invalid_audience"}, "failed", "HTTP 400 invalid_audience", None),
        (400, {"err": "invalid_key"}, "waiting", "HTTP 400 invalid_key", 5),
        (400, {"err": "authentication_failed"}, "waiting", "HTTP 400 authentication_failed", 3600),
        (400, {"err": "access_denied"}, "waiting", "HTTP 400 access_denied", 3600),
        (400, {"err": "made up"}, "failed", "HTTP 400", None),
        (400, ["no object"], "failed", "HTTP 400", None),
        (400, None, "failed", "HTTP 400", None),
        (401, None, "waiting", "HTTP 401", 3600),
        (404, None, "waiting", "HTTP 404", 5),
        (410, None, "failed", "HTTP 410", None),
        (429, None, "waiting", "HTTP 429", 5),
        (500, None, "waiting", "HTTP 500", 5),
    ],
)  # fmt: skip
def test_what_an_answer_means(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock,
    status: int, body: Any, status_after: str, reason: str, seconds: int | None,
) -> None:  # fmt: skip
    unet.will_answer(status, body, Location=unet.base + "/elsewhere")
    end_sessions(make, aida)
    runner.run_until_idle()
    assert [path for path, _, _ in unet.heard] == ["/ssf"], "redirects are not followed"
    (notice,) = at(make.app, "unet")
    again = None if seconds is None else clock.now() + timedelta(seconds=seconds)
    assert (notice.status, notice.last_error, notice.run_at) == (status_after, reason, again)
    if status_after == "failed":
        (row,) = recorded(make.app, "receiver-not-told")
        assert (row.subject, (row.after or {})["reason"]) == ("receivers/unet", reason)


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_says_when_is_not_called_before(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock, status: int
) -> None:
    unet.will_answer(status, None, Retry_After="120")
    end_sessions(make, aida)
    for waited, tries in ((0, 1), (119, 1), (1, 2)):
        clock.advance(seconds=waited)
        runner.run_until_idle()
        assert len(unet.heard) == tries
    assert at(make.app, "unet")[0].status == "told"


def test_a_webhook_takes_every_2xx_and_is_not_given_up_by_a_400(
    make: Make, aida: Someone, runner: Runner, moodle: Receiver, clock: SetClock
) -> None:
    moodle.will_answer(400)
    moodle.will_answer(204)
    end_sessions(make, aida)
    runner.run_until_idle()
    clock.advance(seconds=5)
    runner.run_until_idle()
    assert at(make.app, "moodle")[0].status == "told"
    ids = {headers["webhook-id"] for _, headers, _ in moodle.heard}
    stamps = {headers["webhook-timestamp"] for _, headers, _ in moodle.heard}
    assert (len(moodle.heard), len(ids), len(stamps)) == (2, 1, 2)


def test_a_receiver_that_does_not_answer_in_time_is_called_again(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.oauth.outbound.SECONDS", 0.5)
    unet.silent.set()
    end_sessions(make, aida)
    runner.run_until_idle()
    (notice,) = at(make.app, "unet")
    assert (notice.status, notice.last_error) == ("waiting", "no answer in time")


@pytest.mark.parametrize("status", [401, 429, 503])
def test_after_three_days_it_is_given_up_and_the_next_is_told(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock, status: int
) -> None:
    for _ in range(200):
        unet.will_answer(status)
    end_sessions(make, aida)
    for _ in range(80):
        runner.run_until_idle()
        clock.advance(hours=1)
    (notice,) = at(make.app, "unet")
    assert notice.status == "failed"
    assert 60 < len(unet.heard) < 100
    unet.answers.clear()
    end_sessions(make, aida)
    runner.run_until_idle()
    assert [one.status for one in at(make.app, "unet")] == ["failed", "told"]


def test_what_happens_to_one_account_is_told_in_its_order_and_others_do_not_wait_for_it(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, clock: SetClock
) -> None:
    bermet = make.account("bermet")
    unet.will_answer(503)
    act(make, aida, "account-closed")
    act(make, aida, "account-reopened")
    act(make, bermet, "account-closed")
    runner.run_until_idle()
    assert [one.status for one in at(make.app, "unet")] == ["waiting", "waiting", "told"]
    clock.advance(seconds=5)
    runner.run_until_idle()
    told = [opened(token, keys_of(make.app))[1] for token in unet.tokens]
    assert [(one["sub_id"]["sub"], next(iter(one["events"])).rpartition("/")[2]) for one in told] == [
        (aida.sub, "account-disabled"), (bermet.sub, "account-disabled"),
        (aida.sub, "account-disabled"), (aida.sub, "account-enabled"),
    ]  # fmt: skip


def test_a_worker_killed_between_telling_and_noting_it_is_followed_by_one_that_tells_the_same_again(
    make: Make, aida: Someone, workshop: Workshop, runner: Runner, unet: Receiver, clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    end_sessions(make, aida)
    (notice,) = at(make.app, "unet")

    class Killed(BaseException):
        """No code of ours catches it, like SIGKILL."""

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("idp.provisioning.hand_over.get_back", killed)
        with pytest.raises(Killed):
            carry_out(workshop, "event", notice.id)
    clock.advance(seconds=60)
    runner.run_until_idle()
    assert len(unet.tokens) == 2
    assert unet.tokens[0] == unet.tokens[1], "one event, one jti"
    assert at(make.app, "unet")[0].status == "told"


def test_of_many_workers_at_once_one_has_it(make: Make, aida: Someone, workshop: Workshop, clock: SetClock) -> None:
    end_sessions(make, aida)
    (notice,) = at(make.app, "unet")

    def try_to_claim(number: int) -> bool:
        with make.app.app_context():
            return claim(EventNotice, notice.id, f"worker {number}", clock.now(), workshop.lease) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_claim, range(24))) == 1


def test_in_production_no_receiver_leads_into_a_private_network(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_sessions(make, aida)
    monkeypatch.setattr("idp.oauth.outbound._is_allowed", lambda service, address: address.is_global)
    runner.run_until_idle()
    (notice,) = at(make.app, "unet")
    assert (unet.heard, notice.last_error) == ([], "the name leads into a network that is not open to clients")


def test_what_was_told_is_forgotten_after_a_week_and_what_was_not_after_three_months(
    make: Make, aida: Someone, runner: Runner, workshop: Workshop, unet: Receiver, clock: SetClock
) -> None:
    unet.will_answer(410)
    end_sessions(make, aida)
    runner.run_until_idle()
    for days, left in ((7, 2), (1, 1), (82, 1), (1, 0)):
        clock.advance(days=days)
        do_periodic(workshop)
        assert len(notices(make.app)) == left


def test_the_command_makes_keys_that_sign_and_verify(clock: SetClock) -> None:
    made = CliRunner().invoke(events, ["new-key"]).output.split()[-1]
    told = CliRunner().invoke(events, ["new-key", "--asymmetric"]).output.split()
    pair = [word for word in told if word.startswith("wh")]
    for signs, verifies in ((made, made), (pair[0], pair[1])):
        headers = signed_headers("1", b"{}", [signs], clock.now())
        assert is_signed(headers, b"{}", [verifies], clock.now())
    assert not pair[1].startswith("whsk")


def test_the_command_lists_what_was_not_told(
    make: Make, aida: Someone, runner: Runner, unet: Receiver, settings: Settings, tmp_path: Path
) -> None:
    unet.will_answer(410)
    end_sessions(make, aida)
    runner.run_until_idle()
    command = [sys.executable, "-W", "ignore", "-m", "idp", "events", "list"]
    told = subprocess.run(command, env=environment(settings), cwd=tmp_path, capture_output=True, text=True, check=True)
    (line,) = told.stdout.splitlines()
    topic = f"account/{aida.id}"
    assert line.endswith("  ".join(("failed", "receivers/unet", "session-revoked", topic, "tries: 1", "HTTP 410")))
