"""A sender with a client of its own: the signature and that client's access token, never one of them alone (hr-orders,
decision 2)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from idp.app import create_app
from idp.clock import SetClock
from idp.db import db
from idp.flows.remove_client import remove_client
from idp.flows.signing_keys import ensure_signing_keys
from tests.builders import HMAC_KEY, Make, settings_for
from tests.idp.api.test_clients import ITSELF
from tests.idp.api.test_orders import HIRE, problem
from tests.idp.hr import URL, Hr, sample
from tests.idp.oauth.driver import Party, Registered
from tests.idp.oauth.proofs import Prover, ath, jwks

SCOPE = "hr.orders.write"
Serve = Callable[..., "Department"]


class Department(Hr):
    """HR with a client: its orders are signed, and it fetches tokens for itself."""

    def __init__(self, app: Flask, clock: SetClock, party: Party, prover: Prover, client: Registered) -> None:
        super().__init__(app, clock)
        self.party, self.prover, self.client = party, prover, client

    def fetch(self, client: Registered | None = None, **form: Any) -> str:
        asked = {"grant_type": "client_credentials", "scope": SCOPE} | form
        answer = self.party.token(None, **self.prover.asserts(client or self.client, **asked))
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["access_token"])

    def signed(self, authorization: str | None, **more: str) -> dict[str, str]:
        """The headers of a delivery of the hire."""
        told = {"Authorization": authorization} if authorization is not None else {}
        return self.headers(sample("hire")) | told | more


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_keys(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


def program(party: Party, prover: Prover, **changes: Any) -> Registered:
    usual = ITSELF | {
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(prover.key), "scope": f"{SCOPE} orders:read",
    }  # fmt: skip
    return party.client(**(usual | changes))


@pytest.fixture
def serve(party: Party, prover: Prover, clock: SetClock, database_url: str) -> Iterator[Serve]:
    """The service with settings that name HR's client."""
    apps = []

    def started(client: Registered | None = None, **sender: Any) -> Department:
        client = client or program(party, prover)
        shnet = {"keys": [HMAC_KEY], "client_id": client.client_id} | sender
        app = create_app(settings_for(database_url, senders={"shnet": shnet}), clock)
        apps.append(app)
        return Department(app, clock, party, prover, client)

    yield started
    for app in apps:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def test_signed_and_with_its_own_token_an_order_is_taken_from_anywhere(serve: Serve) -> None:
    hr = serve()
    headers = hr.signed(f"Bearer {hr.fetch()}")
    assert hr.send(sample("hire"), headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 202


def test_neither_the_signature_nor_the_token_is_enough_by_itself(serve: Serve) -> None:
    hr = serve()
    token = f"Bearer {hr.fetch()}"
    answer = hr.send(sample("hire"), headers=hr.signed(None))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(None))
    problem(hr, sample("hire"), 401, "not_authentic", headers={"Authorization": token})
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(token) | {"webhook-signature": "v1,AAAA"})


def test_another_token_is_none(serve: Serve, party: Party, prover: Prover, make: Make) -> None:
    """Of another client, for something else, of a person, made up, run out, of a client that is gone."""
    hr = serve()
    other = hr.fetch(program(party, prover))
    reading = hr.fetch(scope="orders:read")
    person = party.tokens(make.account(), party.client(scope=f"openid {SCOPE}"), scope=f"openid {SCOPE}")[
        "access_token"
    ]
    good = hr.fetch()
    for token in (other, person, good[:-4] + "AAAA", "made-up", ""):
        problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(f"Bearer {token}"))
    problem(hr, sample("hire"), 403, "not_allowed", headers=hr.signed(f"Bearer {reading}"))
    hr.clock.advance(minutes=10)
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(f"Bearer {good}"))
    good = hr.fetch()
    with hr.app.app_context():
        remove_client(make.here(), hr.client.client_id)
        db.session.commit()
        db.session.remove()
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(f"Bearer {good}"))


def test_a_bound_token_comes_from_the_holder_of_its_key(serve: Serve, party: Party, prover: Prover) -> None:
    """RFC 9449, 7."""
    hr = serve(program(party, prover, dpop_bound_access_tokens=True))
    form = prover.asserts(hr.client, grant_type="client_credentials", scope=SCOPE)
    token = party.token(None, {"DPoP": prover.proof()}, **form).get_json()["access_token"]

    def proof(by: Prover) -> str:
        return by.proof(URL, ath=ath(token))

    stolen = hr.signed(f"Bearer {token}")
    problem(hr, sample("hire"), 401, "not_authentic", headers=stolen)
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(f"DPoP {token}", DPoP=proof(Prover(party))))
    once = proof(prover)
    assert hr.send(sample("hire"), headers=hr.signed(f"DPoP {token}", DPoP=once)).status_code == 202
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(f"DPoP {token}", DPoP=once))


def test_who_names_addresses_too_keeps_to_both(serve: Serve) -> None:
    hr = serve(addresses=["10.0.0.0/8"])
    headers = hr.signed(f"Bearer {hr.fetch()}")
    problem(hr, sample("hire"), 401, "not_authentic", headers=headers)
    near = {"REMOTE_ADDR": "10.1.2.3"}
    problem(hr, sample("hire"), 401, "not_authentic", headers=hr.signed(None), environ_base=near)
    assert hr.send(sample("hire"), headers=headers, environ_base=near).status_code == 202


def test_the_state_of_an_order_is_asked_for_the_same_way(serve: Serve) -> None:
    hr = serve()
    token = {"Authorization": f"Bearer {hr.fetch()}"}
    assert hr.send(sample("hire"), headers=hr.signed(token["Authorization"])).status_code == 202

    def ask(more: dict[str, str]) -> int:
        place = f"{URL}/{HIRE}/versions/1"
        asked = hr.app.test_client().get(place, base_url="http://localhost", headers=hr.headers(b"") | more)
        return asked.status_code

    assert (ask({}), ask(token)) == (401, 200)
