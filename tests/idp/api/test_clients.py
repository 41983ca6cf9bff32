"""Programs that register clients: with the scope for it, and never more programs like themselves."""

import base64
import hashlib
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.remove_client import remove_client
from idp.flows.signing_keys import ensure_signing_keys
from idp.models import AuditRecord
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered
from tests.idp.oauth.proofs import Prover

USUAL = {"client_name": "Library", "redirect_uris": [CALLBACK]}
ITSELF = {"grant_types": ["client_credentials"], "redirect_uris": [], "post_logout_redirect_uris": []}


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_keys(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)


class Program:
    """A program that calls the API with an access token."""

    def __init__(self, party: Party, scope: str = "clients.manage orders:read") -> None:
        self.party = party
        self.client = party.client(**ITSELF, scope=scope)
        self.token: str | None = self.fetch("clients.manage" if "clients.manage" in scope else scope)

    def fetch(self, scope: str) -> str:
        answer = self.party.token(self.client, grant_type="client_credentials", scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["access_token"])

    def ask(self, method: str, path: str = "", body: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        sent = options or ({"json": body} if body is not None else {})
        url = f"/api/clients{path}"
        return self.party.app.test_client().open(url, method=method, base_url=self.party.base, headers=headers, **sent)

    def add(self, **metadata: Any) -> dict[str, Any]:
        answer = self.ask("POST", "", USUAL | metadata)
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())


@pytest.fixture
def program(party: Party) -> Program:
    return Program(party)


def stored(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != "client_secret"}


def test_a_client_lives_from_post_to_delete(program: Program, party: Party) -> None:
    answer = program.ask("POST", "", USUAL | {"system": "moodle", "first_party": True})
    made = answer.get_json()
    path = f"/{made['client_id']}"
    assert answer.headers["Location"] == f"/api/clients{path}"
    assert (made["system"], made["first_party"], made["self_registered"]) == ("moodle", True, False)
    assert party.revoke(Registered(made["client_id"], made["client_secret"]), token="x").status_code == 200
    assert program.ask("GET", path).get_json() == stored(made)
    changed = program.ask("PUT", path, stored(made) | {"client_name": "Reading room", "system": None}).get_json()
    assert (changed["client_name"], changed["system"]) == ("Reading room", None)
    assert program.ask("GET", path).get_json() == changed
    assert program.ask("DELETE", path).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        assert program.ask(method, path, USUAL).status_code == 404


def test_a_new_secret_kills_the_old_one(program: Program, party: Party) -> None:
    made = program.add()
    rotated = program.ask("POST", f"/{made['client_id']}/secret").get_json()
    statuses = [
        party.revoke(Registered(made["client_id"], told["client_secret"]), token="x").status_code
        for told in (made, rotated)
    ]
    assert statuses == [401, 200]
    public = program.add(token_endpoint_auth_method="none")
    assert "client_secret" not in public
    assert program.ask("POST", f"/{public['client_id']}/secret").status_code == 409


def test_the_list_comes_in_pages(program: Program) -> None:
    names = [program.add(client_name=f"client {number}")["client_id"] for number in range(3)]
    first = program.ask("GET", "?limit=2").get_json()
    rest = program.ask("GET", f"?limit=200&after={first['next']}").get_json()
    found = [client["client_id"] for client in first["clients"] + rest["clients"]]
    assert found == [program.client.client_id, *names]
    assert "next" not in rest
    assert not any("client_secret" in client for client in first["clients"])
    for wrong in ("?limit=0", "?limit=201", "?limit=x", "?limit=١", "?limit=-1"):
        assert program.ask("GET", wrong).status_code == 400
    assert program.ask("GET", "?after=nobody").get_json() == {"clients": []}
    assert program.ask("GET", "?after=%00").status_code == 404


def everything(program: Program) -> list[int]:
    made = f"/{program.client.client_id}"
    asked = [("GET", ""), ("POST", ""), ("GET", made), ("PUT", made), ("DELETE", made), ("POST", f"{made}/secret")]
    return [program.ask(method, path, USUAL).status_code for method, path in asked]


def test_without_a_token_of_a_program_nothing_is_told_or_done(program: Program, make: Make) -> None:
    person = program.party.tokens(make.account(), program.party.client(scope="openid clients.manage"),
                                  scope="openid clients.manage")  # fmt: skip
    for token in (None, "", "made-up", person["access_token"], person["id_token"]):
        program.token = token
        assert everything(program) == [401] * 6
    assert program.ask("GET").headers["WWW-Authenticate"].startswith("Bearer")
    assert program.ask("GET").mimetype == "application/problem+json"


def test_without_the_scope_nothing_is_told_or_done(party: Party, program: Program) -> None:
    assert everything(Program(party, "orders:read")) == [403] * 6
    program.token = program.fetch("orders:read")
    assert everything(program) == [403] * 6
    assert 'error="insufficient_scope"' in program.ask("GET").headers["WWW-Authenticate"]


def test_a_token_ends_with_its_time_and_with_its_client(program: Program, clock: SetClock) -> None:
    with program.party.app.app_context():
        remove_client(program.party.make.here(), program.client.client_id)
        db.session.commit()
    assert program.ask("GET").status_code == 401
    other = Program(program.party)
    clock.advance(minutes=16)
    assert other.ask("GET").status_code == 401


def test_a_token_bound_to_a_key_needs_a_proof_of_that_key(program: Program) -> None:
    party, prover = program.party, Prover(program.party)
    bound = {"DPoP": prover.proof()}
    answer = party.token(program.client, bound, grant_type="client_credentials", scope="clients.manage")
    token = answer.get_json()["access_token"]

    def ask(scheme: str, token: str, proof: str | None) -> TestResponse:
        headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
        return party.app.test_client().get("/api/clients", base_url=party.base, headers=headers)

    def proof(by: Prover, of: str) -> str:
        hashed = base64.urlsafe_b64encode(hashlib.sha256(of.encode()).digest()).rstrip(b"=").decode()
        return by.proof("/api/clients", "GET", ath=hashed)

    assert ask("DPoP", token, proof(prover, token)).status_code == 200
    assert program.token is not None
    for scheme, shown, shown_proof in (
        ("Bearer", token, None),
        ("Bearer", token, proof(prover, token)),
        ("DPoP", token, None),
        ("DPoP", token, proof(Prover(party), token)),
        ("DPoP", program.token, proof(prover, program.token)),
    ):
        refused = ask(scheme, shown, shown_proof)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith(scheme)


def test_a_program_makes_no_program_like_itself(program: Program) -> None:
    body = USUAL | ITSELF | {"scope": "clients.manage"}
    made = program.add()
    for method, path in (("POST", ""), ("PUT", f"/{made['client_id']}")):
        answer = program.ask(method, path, body)
        assert answer.status_code == 422
        assert answer.get_json()["errors"] == [
            {"json_path": "$.scope", "rule": "clients.manage is given at the command only"}
        ]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"redirect_uris": ["http://rp.example/"]}, "$.redirect_uris"),
        ({"redirect_uris": []}, "$.redirect_uris"),
        ({"grant_types": ["password"]}, "$.grant_types"),
        ({"system": "nowhere"}, "$.system"),
        ({"system": 7}, "$.system"),
        ({"jwks": {"keys": []}}, "$.jwks"),
        ({"colour": "red"}, "$.colour"),
        ({"client_secret": "chosen"}, "$.client_secret"),
        ({"client_id": "chosen"}, "$.client_id"),
    ],
)
def test_a_client_that_does_not_hold_is_refused_field_by_field(
    program: Program, said: dict[str, Any], named: str
) -> None:
    made = program.add()
    for method, path in (("POST", ""), ("PUT", f"/{made['client_id']}")):
        answer = program.ask(method, path, USUAL | said)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_client")
        assert [mistake["json_path"] for mistake in answer.get_json()["errors"]] == [named]
    assert program.ask("GET", f"/{made['client_id']}").get_json() == stored(made)


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [(b"{", "application/json", 400), (b"[]", "application/json", 400), (b"", "application/json", 400),
     (b'{"client_name":"\\u0000"}', "application/json", 400), (b"client_name=x", "application/x-www-form-urlencoded", 415),
     (b" " * 70_000, "application/json", 413)],
)  # fmt: skip
def test_what_is_no_small_json_object_is_refused(program: Program, raw: bytes, kind: str, status: int) -> None:
    assert program.ask("POST", data=raw, content_type=kind).status_code == status


@pytest.mark.parametrize("name", ["nobody", "%00", "%D0%BA", "x" * 2_000])
def test_names_of_nobody_are_not_found(program: Program, name: str) -> None:
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/secret")):
        assert program.ask(method, f"/{name}{path}", USUAL).status_code == 404


def test_what_a_program_does_is_recorded_with_before_and_after(program: Program) -> None:
    made = program.add()
    path = f"/{made['client_id']}"
    program.ask("PUT", path, USUAL | {"client_name": "Reading room"})
    program.ask("POST", f"{path}/secret")
    program.ask("DELETE", path)
    with program.party.app.app_context():
        wanted = sa.select(AuditRecord).where(AuditRecord.subject == f"client/{made['client_id']}")
        trail = list(db.session.scalars(wanted.order_by(AuditRecord.number)))
    acts = ["client-registered", "client-changed", "client-secret-rotated", "client-removed"]
    assert [record.act for record in trail] == acts
    assert {record.actor for record in trail} == {f"client/{program.client.client_id}"}
    assert [(trail[1].before or {})["client_name"], (trail[1].after or {})["client_name"]] == [
        "Library",
        "Reading room",
    ]
    assert made["client_secret"] not in str([(record.before, record.after) for record in trail])
