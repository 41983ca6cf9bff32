"""Ending a session here ends it in every system that was signed in to: told by the worker, until they have heard it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from joserfc.jwe import decrypt_compact
from joserfc.jwk import ECKey

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.sessions import end_all_sessions, end_session
from idp.flows.signing_keys import ensure_signing_keys, verify
from idp.models import Account, AuthorizationRequest, Client, LogoutNotice, Session
from idp.oauth.backchannel_logout import EVENT
from idp.provisioning.carry_out import carry_out
from idp.provisioning.lease import claim
from idp.provisioning.periodic import do_periodic
from idp.provisioning.runner import Runner
from idp.provisioning.wake import prepare_queue, wake_workers
from idp.provisioning.workshop import Workshop
from idp.settings import Settings
from tests.builders import Make, Someone, settings_for
from tests.idp.oauth.driver import Party, Registered
from tests.idp.oauth.listening_client import Listener, listening, notices, recorded, signed_in_to
from tests.idp.provisioning.engine import WorkerProcess, environment, until
from tests.idp.provisioning.orders import Desk, dismissal, hire


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    return Party(app, make)


@pytest.fixture
def aida(make: Make) -> Someone:
    return make.account()


def end(party: Party, session_id: UUID) -> int:
    with party.app.app_context(), unit_of_work():
        return end_session(party.make.here(), session_id, "signed-out")


def test_each_client_of_the_session_that_wants_it_is_told_once(
    party: Party, aida: Someone, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    unet = party.client(backchannel_logout_uri=listener.uri + "?of=unet")
    moodle = party.client(backchannel_logout_uri=listener.uri + "?of=moodle")
    deaf, elsewhere = party.client(), party.client(backchannel_logout_uri=listener.uri + "?of=elsewhere")
    session = signed_in_to(party.app, party.make, aida, (unet, unet, moodle, deaf))
    signed_in_to(party.app, party.make, aida, (elsewhere,))
    end(party, session)
    assert end(party, session) == 0  # ended already
    runner.run_until_idle()
    clock.advance(days=2)
    runner.run_until_idle()
    assert sorted(path for path, _ in listener.told) == ["/backchannel?of=moodle", "/backchannel?of=unet"]
    assert [(one.status, one.run_at, one.owner) for one in notices(party.app)] == [("told", None, None)] * 2
    told = recorded(party.app, "client-told-of-logout")
    assert {row.subject for row in told} == {f"client/{unet.client_id}", f"client/{moodle.client_id}"}
    assert told[0].login == "aida"
    assert told[0].after == {"status": "told", "sid": str(session)}


def test_the_token_says_what_the_standard_wants(
    party: Party, aida: Someone, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    client = party.client(backchannel_logout_uri=listener.uri, id_token_signed_response_alg="ES256")
    session = signed_in_to(party.app, party.make, aida, (client,))
    end(party, session)
    runner.run_until_idle()
    (token,) = listener.tokens
    with party.app.app_context():
        claims = verify(party.make.service, "logout+jwt", token)
        assert verify(party.make.service, "JWT", token) is None
    assert claims is not None
    jti = claims.pop("jti")
    assert len(jti) >= 22
    now = int(clock.now().timestamp())
    assert claims == {
        "iss": "http://localhost",
        "sub": aida.sub,
        "aud": client.client_id,
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
        "sid": str(session),
    }


def test_a_client_with_subjects_of_its_own_is_told_its_own(
    party: Party, aida: Someone, runner: Runner, listener: Listener
) -> None:
    client = party.client(backchannel_logout_uri=listener.uri, subject_type="pairwise")
    end(party, signed_in_to(party.app, party.make, aida, (client,)))
    runner.run_until_idle()
    with party.app.app_context():
        claims = verify(party.make.service, "logout+jwt", listener.tokens[0])
    assert claims is not None
    assert claims["sub"] != aida.sub


def test_a_client_whose_id_tokens_are_encrypted_gets_its_logout_tokens_encrypted_too(
    party: Party, aida: Someone, runner: Runner, listener: Listener
) -> None:
    key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES"}, auto_kid=True)
    client = party.client(
        backchannel_logout_uri=listener.uri,
        id_token_encrypted_response_alg="ECDH-ES",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    end(party, signed_in_to(party.app, party.make, aida, (client,)))
    runner.run_until_idle()
    (sealed,) = listener.tokens
    signed = decrypt_compact(sealed, key, algorithms=["ECDH-ES", "A128CBC-HS256"]).plaintext
    assert signed is not None
    with party.app.app_context():
        claims = verify(party.make.service, "logout+jwt", signed.decode())
    assert claims is not None
    assert claims["sub"] == aida.sub


def test_a_client_that_is_down_is_told_when_it_is_back(
    party: Party, aida: Someone, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    listener.answers = [503, 404, 500]
    end(party, signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),)))
    for waited, tries in ((0, 1), (4, 1), (1, 2), (9, 2), (1, 3), (20, 4), (3600, 4)):
        clock.advance(seconds=waited)
        runner.run_until_idle()
        assert len(listener.told) == tries
    assert len(set(listener.tokens)) == 4  # a new token for each try
    (notice,) = notices(party.app)
    assert (notice.status, notice.failures, notice.last_error) == ("told", 3, None)


def test_a_client_that_refuses_is_not_asked_again(
    party: Party, aida: Someone, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    listener.answers = [400]
    end(party, signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),)))
    runner.run_until_idle()
    clock.advance(hours=2)
    runner.run_until_idle()
    assert len(listener.told) == 1
    (notice,) = notices(party.app)
    assert (notice.status, notice.run_at, notice.last_error) == ("failed", None, "HTTP 400")
    (row,) = recorded(party.app, "client-not-told-of-logout")
    assert row.after is not None
    assert (row.after["status"], row.after["reason"]) == ("failed", "HTTP 400")


def test_the_command_lists_who_was_not_told(
    party: Party, aida: Someone, runner: Runner, listener: Listener, settings: Settings, tmp_path: Path
) -> None:
    listener.answers = [400, 503]
    clients = [party.client(backchannel_logout_uri=listener.uri) for _ in range(3)]
    for client in clients:
        end(party, signed_in_to(party.app, party.make, aida, (client,)))
        runner.run_until_idle()
    command = [sys.executable, "-W", "ignore", "-m", "idp", "logouts"]
    told = subprocess.run(command, env=environment(settings), cwd=tmp_path, capture_output=True, text=True, check=True)
    waits, refused = told.stdout.splitlines()
    assert "  ".join(("waiting", clients[1].client_id, "aida", "tries: 1", "HTTP 503")) in waits
    assert "  ".join(("failed", clients[0].client_id, "aida", "tries: 1", "HTTP 400")) in refused


def test_after_a_day_it_is_given_up(
    party: Party, aida: Someone, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    listener.answers = [503] * 100
    end(party, signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),)))
    for _ in range(100):
        runner.run_until_idle()
        clock.advance(minutes=30)
    (notice,) = notices(party.app)
    assert notice.status == "failed"
    assert 20 < len(listener.told) < 40
    assert len(recorded(party.app, "client-not-told-of-logout")) == 1


def test_a_client_removed_meanwhile_is_not_called(
    party: Party, aida: Someone, runner: Runner, listener: Listener
) -> None:
    client = party.client(backchannel_logout_uri=listener.uri)
    end(party, signed_in_to(party.app, party.make, aida, (client,)))
    with party.app.app_context(), unit_of_work():
        row = db.session.scalars(sa.select(Client).where(Client.client_id == client.client_id)).one()
        row.removed_at = party.make.clock.now()
    runner.run_until_idle()
    assert listener.told == []
    assert notices(party.app)[0].status == "failed"


def test_a_worker_killed_between_telling_and_noting_it_is_followed_by_one_that_tells_again(
    party: Party, aida: Someone, workshop: Workshop, runner: Runner, listener: Listener, clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    end(party, signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),)))
    (notice,) = notices(party.app)

    class Killed(BaseException):
        """No code of ours catches it, like SIGKILL."""

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("idp.provisioning.hand_over.get_back", killed)
        with pytest.raises(Killed):
            carry_out(workshop, "logout", notice.id)
    assert len(listener.told) == 1
    clock.advance(seconds=59)
    runner.run_until_idle()
    assert len(listener.told) == 1
    clock.advance(seconds=1)
    runner.run_until_idle()
    assert len(listener.told) == 2
    (notice,) = notices(party.app)
    assert (notice.status, notice.attempt) == ("told", 2)


def test_whoever_comes_back_after_the_lease_notes_nothing(
    party: Party, aida: Someone, workshop: Workshop, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    end(party, signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),)))
    (notice,) = notices(party.app)
    with party.app.app_context():
        assert claim(LogoutNotice, notice.id, "dead", clock.now(), workshop.lease)
    carry_out(workshop, "logout", notice.id)
    assert listener.told == []
    clock.advance(seconds=60)
    runner.run_until_idle()
    assert notices(party.app)[0].status == "told"


def test_an_end_that_is_rolled_back_tells_nobody(
    party: Party, aida: Someone, runner: Runner, listener: Listener
) -> None:
    session = signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),))
    with party.app.app_context():
        end_session(party.make.here(), session, "signed-out")
        db.session.rollback()
        db.session.remove()
    runner.run_until_idle()
    assert (listener.told, notices(party.app)) == ([], [])


def test_ending_all_sessions_but_one_tells_of_the_others(
    party: Party, aida: Someone, runner: Runner, listener: Listener
) -> None:
    client = party.client(backchannel_logout_uri=listener.uri)
    sessions = [signed_in_to(party.app, party.make, aida, (client,)) for _ in range(3)]
    with party.app.app_context(), unit_of_work():
        end_all_sessions(party.make.here(), db.session.get_one(Account, aida.id), "credential-changed", sessions[2:])
    runner.run_until_idle()
    assert {one.session_id for one in notices(party.app)} == set(sessions[:2])
    assert len(listener.told) == 2


def test_a_dismissal_ends_the_sessions_at_the_clients(
    party: Party, desk: Desk, runner: Runner, listener: Listener, number: int
) -> None:
    desk.receive(hire(number))
    runner.run_until_idle()
    account = desk.account(number)
    client = party.client(backchannel_logout_uri=listener.uri)
    someone = Someone(account.id, account.login, "", account.sub)
    session = signed_in_to(party.app, party.make, someone, (client,))
    desk.receive(dismissal(number))
    runner.run_until_idle()
    with party.app.app_context():
        assert db.session.get_one(Session, session).end_reason == "closed"
    assert len(listener.told) == 1


def test_a_session_that_lived_too_long_ends_everywhere_and_one_that_only_rests_does_not(
    party: Party, aida: Someone, workshop: Workshop, runner: Runner, listener: Listener, clock: SetClock
) -> None:
    session = signed_in_to(party.app, party.make, aida, (party.client(backchannel_logout_uri=listener.uri),))
    clock.advance(hours=23)
    do_periodic(workshop)
    runner.run_until_idle()
    assert listener.told == []
    clock.advance(hours=1)
    do_periodic(workshop)
    runner.run_until_idle()
    assert len(listener.told) == 1
    with party.app.app_context():
        assert db.session.get_one(Session, session).end_reason == "outlived"


def test_requests_that_ran_out_leave_the_table(party: Party, workshop: Workshop, clock: SetClock) -> None:
    party.authorize(party.browser(), party.client())
    clock.advance(minutes=59)
    party.authorize(party.browser(), party.client())
    clock.advance(minutes=2)
    do_periodic(workshop)
    with party.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AuthorizationRequest)) == 1


def test_a_slow_client_does_not_keep_others_from_hearing(workshop: Workshop) -> None:
    assert workshop.lanes["logout"] > 1


def test_the_real_worker_tells_at_once(
    party: Party, aida: Someone, settings: Settings, listener: Listener, clock: SetClock, tmp_path: Path
) -> None:
    clock.advance(seconds=(datetime.now(UTC) - clock.now()).total_seconds())  # it lives in the real time
    warm: Registered = party.client(backchannel_logout_uri=listener.uri)
    sessions = [signed_in_to(party.app, party.make, aida, (warm,)) for _ in range(2)]
    if settings.database_url.startswith("postgresql"):
        prepare_queue(settings.database_url)
    wake_workers(party.app)
    with WorkerProcess(settings, tmp_path / "worker.log"):
        end(party, sessions[0])
        until(lambda: len(listener.told) == 1)
        end(party, sessions[1])
        assert until(lambda: len(listener.told) == 2) < 3  # woken: on PostgreSQL the sweep looks every 5 seconds
    assert listener.tokens[0] != listener.tokens[1]
