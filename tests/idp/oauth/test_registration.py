"""Clients that register themselves: by whose leave, as what, and that they look after nobody but themselves."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.change_client import change_client, client_to_change
from idp.flows.initial_access_tokens import issue_initial_access_token, revoke_initial_access_token
from idp.flows.refusal import Refusal
from idp.flows.register_itself import change_itself, own_registration
from idp.models import AuditRecord, Client, InitialAccessToken
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered
from tests.idp.oauth.proofs import jwks
from tests.idp.oauth.publisher import publisher
from tests.idp.oauth.reading import encryption_keys

SCOPES = ("openid", "profile", "email", "offline_access")
USUAL = {"client_name": "Library", "redirect_uris": [CALLBACK]}


class Registrar:
    """Gives out initial access tokens, and plays clients that use them."""

    def __init__(self, app: Flask, make: Make) -> None:
        self.app, self.make = app, make
        self.base = make.service.settings.base_url

    def allow(self, uses: int = 10, days: int = 30, scopes: tuple[str, ...] = SCOPES) -> tuple[UUID, str]:
        with self.app.app_context():
            made = issue_initial_access_token(self.make.here(), "library", scopes, uses, timedelta(days=days))
            assert not isinstance(made, Refusal)
            db.session.commit()
            db.session.remove()
        return made

    def post(self, token: str | None, body: Any) -> TestResponse:
        return self._ask("POST", "/oauth/register", token, body)

    def registered(self, token: str | None = None, **metadata: Any) -> dict[str, Any]:
        answer = self.post(token or self.allow()[1], USUAL | metadata)
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def own(self, method: str, client: dict[str, Any], body: Any = None, token: str | None = None) -> TestResponse:
        path = client["registration_client_uri"].removeprefix(self.base)
        return self._ask(method, path, token or client["registration_access_token"], body)

    def _ask(self, method: str, path: str, token: str | None, body: Any) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        return self.app.test_client().open(path, method=method, base_url=self.base, headers=headers, **sent)

    def uses_left(self) -> list[int]:
        with self.app.app_context():
            return list(db.session.scalars(sa.select(InitialAccessToken.uses_left)))

    def clients(self) -> int:
        with self.app.app_context():
            return db.session.scalar(sa.select(sa.func.count()).select_from(Client)) or 0


@pytest.fixture
def registrar(app: Flask, make: Make) -> Registrar:
    return Registrar(app, make)


def replacing(client: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A client's registration as it puts it back."""
    never = {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
    return {name: value for name, value in client.items() if name not in never} | changes


# --- by whose leave


def test_nobody_registers_without_an_initial_access_token(registrar: Registrar) -> None:
    for token in (None, "", "made-up", "x" * 5_000):
        answer = registrar.post(token, USUAL)
        assert answer.status_code == 401
        assert answer.get_json()["error"] == "invalid_token"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert registrar.clients() == 0


def test_a_token_works_for_so_many_clients_and_until_its_day(registrar: Registrar, clock: SetClock) -> None:
    _, token = registrar.allow(uses=2, days=1)
    assert [registrar.post(token, USUAL).status_code for _ in range(3)] == [201, 201, 401]
    _, token = registrar.allow(days=1)
    clock.advance(days=1)
    assert registrar.post(token, USUAL).status_code == 401


def test_a_revoked_token_registers_nobody(registrar: Registrar) -> None:
    token_id, token = registrar.allow()
    with registrar.app.app_context():
        assert revoke_initial_access_token(registrar.make.here(), token_id) is None
        db.session.commit()
        assert isinstance(revoke_initial_access_token(registrar.make.here(), token_id), Refusal)
    assert registrar.post(token, USUAL).status_code == 401


def test_no_token_can_hand_out_the_right_to_register_others(registrar: Registrar) -> None:
    with registrar.app.app_context():
        scopes = ("openid", "clients.manage")
        made = issue_initial_access_token(registrar.make.here(), "x", scopes, 1, timedelta(days=1))
    assert isinstance(made, Refusal)


def test_twenty_at_once_with_a_token_for_three_are_three(registrar: Registrar) -> None:
    _, token = registrar.allow(uses=3)
    start = Barrier(20)

    def register(_: int) -> int:
        start.wait()
        return registrar.post(token, USUAL).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = sorted(pool.map(register, range(20)))
    assert answers == [201] * 3 + [401] * 17
    assert (registrar.clients(), registrar.uses_left()) == (3, [0])


# --- as what


def test_a_client_gets_the_defaults_of_the_standard_and_a_secret_that_works(registrar: Registrar, party: Party) -> None:
    made = registrar.registered()
    assert made["client_secret_expires_at"] == 0
    assert made["client_id_issued_at"] == int(registrar.make.clock.now().timestamp())
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert (made["grant_types"], made["response_types"]) == (["authorization_code"], ["code"])
    assert (made["application_type"], made["subject_type"]) == ("web", "public")
    assert made["id_token_signed_response_alg"] == "RS256"
    assert made["scope"] == "email offline_access openid profile"
    assert not {"first_party", "security_profile", "resources", "access_token_signed_response_alg"} & made.keys()
    client = Registered(made["client_id"], made["client_secret"])
    wrong = Registered(made["client_id"], "wrong")
    assert party.revoke(client, token="x").status_code == 200
    assert party.revoke(wrong, token="x").status_code == 401


def test_scopes_are_those_of_the_token_and_no_others(registrar: Registrar) -> None:
    _, token = registrar.allow(scopes=("openid", "email"))
    asked = {"scope": "openid profile clients.manage everything"}
    assert registrar.registered(token)["scope"] == "email openid"
    assert registrar.registered(token, **asked)["scope"] == "openid"
    assert registrar.registered(token, scope="")["scope"] == ""


def test_what_only_people_decide_is_not_for_the_client_to_say(registrar: Registrar) -> None:
    made = registrar.registered(
        first_party=True, security_profile="fapi2-security", resources=["https://api.example/"], claims=["email"]
    )
    with registrar.app.app_context():
        stored = db.session.scalars(sa.select(Client).where(Client.client_id == made["client_id"])).one().registration
    assert stored["first_party"] is False
    assert not {"security_profile", "resources", "claims"} & stored.keys()


@pytest.mark.parametrize(
    ("said", "required"),
    [
        ({}, False),
        ({"require_pkce": True}, True),
        ({"token_endpoint_auth_method": "none", "require_pkce": False}, True),
        ({"application_type": "native", "require_pkce": False}, True),
    ],
)
def test_only_a_confidential_web_client_may_do_without_pkce(
    registrar: Registrar, said: dict[str, Any], required: bool
) -> None:
    assert registrar.registered(**said)["require_pkce"] is required


def test_a_client_acts_for_itself_only_where_the_token_is_not_about_people_alone(registrar: Registrar) -> None:
    said = USUAL | {"grant_types": ["client_credentials"], "redirect_uris": []}
    assert registrar.post(registrar.allow()[1], said).get_json()["error"] == "invalid_client_metadata"
    _, token = registrar.allow(scopes=("openid", "orders:read"))
    made = registrar.registered(token, **said)
    assert made["grant_types"] == ["client_credentials"]
    assert "response_types" not in made or made["response_types"] == []


@pytest.mark.parametrize(
    ("said", "error", "named"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["http://rp.example/"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["https://rp.example/#x"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["https://кат.example/"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": "https://rp.example/"}, "invalid_redirect_uri", "redirect_uris"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}, "invalid_client_metadata", "grant_types"),
        ({"response_types": ["id_token token"]}, "invalid_client_metadata", "response_types"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "jwks"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata", "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "invalid_client_metadata", "jwks"),
        ({"jwks": 7}, "invalid_client_metadata", "jwks"),
        ({"jwks": jwks(encryption_keys()["ECDH-ES"]), "id_token_encrypted_response_alg": "RSA-OAEP"},
         "invalid_client_metadata", "jwks"),
        ({"jwks": jwks(encryption_keys()["RSA-OAEP"]), "userinfo_encrypted_response_alg": "ECDH-ES"},
         "invalid_client_metadata", "jwks"),
        ({"client_name": {"en": "x"}}, "invalid_client_metadata", "client_name"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata", "logo_uri"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata", "id_token_signed_response_alg"),
    ],
)  # fmt: skip
def test_metadata_that_does_not_hold_is_refused_field_by_field_and_costs_nothing(
    registrar: Registrar, said: dict[str, Any], error: str, named: str
) -> None:
    answer = registrar.post(registrar.allow(uses=1)[1], USUAL | said)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert named in answer.get_json()["error_description"]
    assert answer.get_json()["error_description"].isascii()
    assert (registrar.clients(), registrar.uses_left()) == (0, [1])


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"{", b'"x"', b'{"a":1,"a":2}', b'{"default_max_age":NaN}', b'{"jwks":{"keys":[1e999]}}',
     b'{"jwks":{"keys":["\\u0000"]}}', b'{"jwks":{"keys":["\\ud800"]}}', b"\xff\xfe", b'{"jwks":' * 30 + b"1" + b"}" * 30,
     b"[" * 50_000, json.dumps({"client_name": "x" * 70_000}).encode()],
)  # fmt: skip
def test_what_is_no_small_json_object_is_refused(registrar: Registrar, raw: bytes) -> None:
    answer = registrar.post(registrar.allow(uses=1)[1], raw)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert registrar.uses_left() == [1]


def test_a_form_is_not_json(registrar: Registrar) -> None:
    headers = {"Authorization": f"Bearer {registrar.allow()[1]}"}
    answer = registrar.app.test_client().post("/oauth/register", base_url=registrar.base, data=USUAL, headers=headers)
    assert answer.status_code == 400


def test_secrets_are_nowhere_but_in_the_answer(registrar: Registrar) -> None:
    _, token = registrar.allow()
    made = registrar.registered(token)
    with registrar.app.app_context():
        for table in (Client, InitialAccessToken, AuditRecord):
            for row in db.session.execute(sa.select(table.__table__)):
                for secret in (token, made["client_secret"], made["registration_access_token"]):
                    assert secret not in repr(tuple(row))


# --- looking after itself


def test_a_client_reads_what_is_registered_of_it_but_not_its_secret(registrar: Registrar) -> None:
    made = registrar.registered()
    seen = registrar.own("GET", made).get_json()
    assert seen == {name: value for name, value in made.items() if not name.startswith("client_secret")}


def test_a_client_replaces_its_registration_as_a_whole(registrar: Registrar) -> None:
    made = registrar.registered(client_uri="https://rp.example/", contacts=["it@rp.example"])
    changed = registrar.own("PUT", made, replacing(made, client_name="Reading room", contacts=None)).get_json()
    assert changed["client_name"] == "Reading room"
    assert "contacts" not in changed
    assert changed["client_uri"] == "https://rp.example/"
    assert "client_secret" not in changed
    assert registrar.own("GET", made).get_json() == changed
    assert "client_uri" not in registrar.own("PUT", made, USUAL | {"client_id": made["client_id"]}).get_json()


def test_a_client_that_comes_to_need_a_secret_gets_one(registrar: Registrar, party: Party) -> None:
    made = registrar.registered(token_endpoint_auth_method="none")
    assert "client_secret" not in made
    changed = registrar.own("PUT", made, replacing(made, token_endpoint_auth_method="client_secret_post")).get_json()
    client = Registered(made["client_id"], changed["client_secret"])
    assert party.revoke(client, token="x").status_code == 200
    assert changed["require_pkce"] is True  # what was tight stays tight


@pytest.mark.parametrize("identity", [{"client_id": "another"}, {"client_id": None}, {"client_secret": "chosen"},
                                      {"client_secret": 7}])  # fmt: skip
def test_a_client_changes_neither_its_name_nor_its_secret(registrar: Registrar, identity: dict[str, Any]) -> None:
    made = registrar.registered()
    assert registrar.own("PUT", made, replacing(made, **identity)).status_code == 400
    assert registrar.own("GET", made).get_json()["client_name"] == "Library"


def test_changing_gives_no_more_than_registering_and_takes_nothing_that_people_gave(registrar: Registrar) -> None:
    made = registrar.registered()
    with registrar.app.app_context():
        client = client_to_change(made["client_id"])
        assert client is not None
        given = {"scope": "openid affiliation", "first_party": True, "require_pkce": True, "claims": ["department"]}
        change_client(registrar.make.here(), client, client.registration | given, None)
        db.session.commit()
    changed = registrar.own(
        "PUT", made, replacing(made, scope="openid affiliation orders:read", claims=None)
    ).get_json()
    assert changed["scope"] == "affiliation openid"
    assert changed["require_pkce"] is True
    with registrar.app.app_context():
        stored = db.session.scalars(sa.select(Client)).one().registration
    assert (stored["first_party"], stored["claims"]) == (False, ["department"])
    refused = registrar.own("PUT", made, replacing(made, grant_types=["client_credentials", "authorization_code"]))
    assert refused.get_json()["error"] == "invalid_client_metadata"


def test_what_people_tighten_while_a_client_changes_itself_stays_tight(registrar: Registrar) -> None:
    """Between looking it up and changing it, the client's sector is asked, and that takes its time."""
    made = registrar.registered()
    with registrar.app.app_context():
        own = own_registration(made["client_id"], made["registration_access_token"])
        assert not isinstance(own, Refusal)
        assert not own.metadata.require_pkce
        client = client_to_change(made["client_id"])
        assert client is not None
        tightened = {"require_pkce": True, "claims": ["department"]}
        change_client(registrar.make.here(), client, client.registration | tightened, None)
        db.session.commit()
        changed = change_itself(registrar.make.here(), own, USUAL | {"client_name": "Reading room"})
        db.session.commit()
        stored = db.session.scalars(sa.select(Client)).one().registration
    assert not isinstance(changed, Refusal)
    assert (changed.metadata.client_name, changed.metadata.require_pkce) == ("Reading room", True)
    assert (stored["require_pkce"], stored["claims"]) == (True, ["department"])


def test_a_client_without_a_name_puts_back_what_it_was_told(registrar: Registrar) -> None:
    made = registrar.registered(client_name=None)
    told = registrar.own("GET", made).get_json()
    assert "client_name" not in told
    answer = registrar.own("PUT", made, told)
    assert (answer.status_code, answer.get_json()) == (200, told)


def test_a_secret_that_is_not_needed_any_more_is_forgotten(registrar: Registrar, party: Party) -> None:
    made = registrar.registered(token_endpoint_auth_method="client_secret_jwt")
    for method, kept in (("client_secret_jwt", (True, True)), ("client_secret_basic", (True, False)),
                         ("none", (False, False))):  # fmt: skip
        assert registrar.own("PUT", made, replacing(made, token_endpoint_auth_method=method)).status_code == 200
        with registrar.app.app_context():
            client = db.session.scalars(sa.select(Client)).one()
            assert (client.secret_digest is not None, client.secret is not None) == kept
        made.pop("client_secret", None)


def test_a_client_that_removes_itself_is_gone(registrar: Registrar, party: Party) -> None:
    made = registrar.registered()
    assert registrar.own("DELETE", made).status_code == 204
    assert registrar.own("GET", made).status_code == 401
    assert registrar.own("DELETE", made).status_code == 401
    assert party.revoke(Registered(made["client_id"], made["client_secret"]), token="x").status_code == 401


def test_no_client_looks_after_another(registrar: Registrar) -> None:
    mine, other = registrar.registered(), registrar.registered()
    for method in ("GET", "PUT", "DELETE"):
        for token in (mine["registration_access_token"], "made-up", ""):
            assert registrar.own(method, other, replacing(other), token or " ").status_code == 401
    assert registrar.own("GET", mine).status_code == 200
    assert registrar.own("GET", other).status_code == 200


def test_a_token_shown_where_there_is_no_client_dies(registrar: Registrar) -> None:
    made = registrar.registered()
    nowhere = made | {"registration_client_uri": f"{registrar.base}/oauth/register/nobody"}
    assert registrar.own("GET", nowhere).status_code == 401
    assert registrar.own("GET", made).status_code == 401


@pytest.mark.parametrize("name", ["%00", "%ff", "..", "x" * 3_000, "%D0%BA"])
def test_impossible_names_are_nobodys(registrar: Registrar, name: str) -> None:
    made = registrar.registered()
    nowhere = made | {"registration_client_uri": f"{registrar.base}/oauth/register/{name}"}
    assert registrar.own("GET", nowhere).status_code in {400, 401, 404}


def test_what_clients_do_to_themselves_is_recorded(registrar: Registrar) -> None:
    made = registrar.registered()
    registrar.own("PUT", made, replacing(made, client_name="Reading room"))
    registrar.own("DELETE", made)
    with registrar.app.app_context():
        trail = list(db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number)))
    acts = [record.act for record in trail]
    assert acts == ["registration-allowed", "client-registered", "client-changed", "client-removed"]
    assert trail[1].actor.startswith("initial-token/")
    assert {record.actor for record in trail[2:]} == {f"client/{made['client_id']}"}
    assert (trail[2].before or {})["client_name"] == "Library"
    assert (trail[2].after or {})["client_name"] == "Reading room"
    assert (trail[2].after or {})["token_endpoint_auth_method"] == "client_secret_basic"


def test_the_metadata_tells_where_to_register(registrar: Registrar) -> None:
    told = registrar.app.test_client().get("/.well-known/openid-configuration", base_url=registrar.base).get_json()
    assert told["registration_endpoint"] == f"{registrar.base}/oauth/register"


# --- sectors


ELSEWHERE = "https://other.example/cb"


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ([CALLBACK, ELSEWHERE, "https://third.example/"], 201),
        ([CALLBACK], 400),
        ([], 400),
        ({"redirect_uris": [CALLBACK, ELSEWHERE]}, 400),
        (f"{CALLBACK} {ELSEWHERE}".encode(), 400),
        (404, 400),
    ],
)
def test_several_hosts_are_one_sector_only_if_it_lists_all_their_addresses(
    registrar: Registrar, document: Any, status: int
) -> None:
    with publisher() as sector:
        said = {"redirect_uris": [CALLBACK, ELSEWHERE], "subject_type": "pairwise",
                "sector_identifier_uri": sector.url("/sector.json", document)}  # fmt: skip
        answer = registrar.post(registrar.allow(uses=1)[1], USUAL | said)
    assert answer.status_code == status, answer.text
    assert registrar.uses_left() == [0 if status == 201 else 1]
    if status == 400:
        assert answer.get_json()["error_description"].startswith("sector_identifier_uri: ")


def test_a_change_asks_the_sector_again(registrar: Registrar) -> None:
    with publisher() as sector:
        listed = [CALLBACK, ELSEWHERE]
        made = registrar.registered(subject_type="pairwise", sector_identifier_uri=sector.url("/s", listed))
        assert registrar.own("PUT", made, replacing(made, redirect_uris=listed)).status_code == 200
        third = replacing(made, redirect_uris=["https://third.example/"])
        assert registrar.own("PUT", made, third).status_code == 400


def test_nobody_has_a_sector_asked_without_a_token(registrar: Registrar) -> None:
    with publisher() as sector:
        said = USUAL | {"sector_identifier_uri": sector.url("/s", [])}
        assert registrar.post("made-up", said).status_code == 401
        assert sector.asked == []
