"""Introspection (RFC 7662, RFC 9701): by the client a token concerns; to all others it is no token."""

from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.models import Client, Link
from policies.registration import TOKEN_EXCHANGE
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, VERIFIER, Party, Registered, claims_in
from tests.idp.oauth.proofs import Prover

GATE, STORE = "https://gate.example/", "https://store.example/"
SIGNED = "application/token-introspection+jwt"
SCOPE = "openid orders:read"


def a_gate(party: Party, **changes: Any) -> Registered:
    plain = {"grant_types": ["client_credentials"], "redirect_uris": [], "audiences": [GATE], "scope": "orders:read"}
    return party.client(**(plain | changes))


def ask(party: Party, client: Registered | None, accept: str | None = None, **form: Any) -> TestResponse:
    return party._post("/oauth/introspect", client, {"Accept": accept} if accept else {}, form)


def told(party: Party, client: Registered, token: str) -> dict[str, Any]:
    answer = ask(party, client, token=token)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def for_the_gate(party: Party, make: Make, portal: Registered, login: str = "aida") -> dict[str, Any]:
    return party.tokens(make.account(login), portal, scope=SCOPE, resource=GATE)


def test_a_resource_learns_what_the_token_says(party: Party, make: Make) -> None:
    portal, gate = party.client(resources=[GATE]), a_gate(party)
    tokens = for_the_gate(party, make, portal)
    said = claims_in(tokens["access_token"])
    assert told(party, gate, tokens["access_token"]) == {
        "active": True,
        "scope": SCOPE,
        "client_id": portal.client_id,
        "token_type": "Bearer",
        "iss": party.base,
        "aud": GATE,
        **{name: said[name] for name in ("exp", "iat", "sub", "jti")},
    }


@pytest.mark.parametrize(
    ("changes", "login"),
    [({"scope": "profile"}, "aida"), ({"scope": "profile", "claims": ["name"]}, None),
     ({"scope": "profile", "claims": ["preferred_username"]}, "aida"), ({"scope": "email"}, None)],
)  # fmt: skip
def test_the_login_is_told_to_who_could_have_it_as_a_claim(
    party: Party, make: Make, changes: dict[str, Any], login: str | None
) -> None:
    token = for_the_gate(party, make, party.client(resources=[GATE]))["access_token"]
    assert told(party, a_gate(party, **changes), token).get("username") == login


def test_a_client_learns_of_both_of_its_own_tokens(party: Party, make: Make, clock: SetClock) -> None:
    client, someone = party.client(), make.account()
    tokens = party.tokens(someone, client)
    assert told(party, client, tokens["access_token"]).items() >= {"active": True, "aud": party.base}.items()
    idle = make.service.profile.rules.tokens.refresh_idle
    assert told(party, client, tokens["refresh_token"]) == {
        "active": True,
        "scope": "openid profile email",
        "client_id": client.client_id,
        "username": "aida",
        "iat": int(clock.now().timestamp()),
        "exp": int((clock.now() + idle).timestamp()),
        "sub": someone.sub,
        "iss": party.base,
    }


def test_a_token_that_a_client_got_for_itself_is_known_too(party: Party) -> None:
    gate = a_gate(party)
    token = party.token(gate, grant_type="client_credentials").get_json()["access_token"]
    said = told(party, gate, token)
    assert said.items() >= {"active": True, "sub": gate.client_id, "client_id": gate.client_id}.items()
    assert "username" not in said


def test_who_acts_is_told_of_an_exchanged_token(party: Party, make: Make) -> None:
    gate = a_gate(party, grant_types=[TOKEN_EXCHANGE], resources=[STORE])
    token = for_the_gate(party, make, party.client(resources=[GATE]))["access_token"]
    kind = "urn:ietf:params:oauth:token-type:access_token"
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": kind, "resource": STORE}
    exchanged = party.token(gate, **form).get_json()["access_token"]
    said = told(party, a_gate(party, audiences=[STORE]), exchanged)
    assert said.items() >= {"active": True, "act": {"sub": gate.client_id}, "aud": STORE}.items()


def test_whose_key_a_token_is_bound_to_is_told(party: Party, make: Make) -> None:
    client, prover = party.client(public=True, resources=[GATE]), Prover(party)
    code = party.code(make.account(), client, scope=SCOPE, resource=GATE)
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "grant_type": "authorization_code"}
    token = party.token(client, headers={"DPoP": prover.proof()}, **form).get_json()["access_token"]
    assert told(party, a_gate(party), token).items() >= {"token_type": "DPoP", "cnf": {"jkt": prover.jkt}}.items()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_hint_is_only_a_hint(party: Party, make: Make, kind: str) -> None:
    client = party.client()
    token = party.tokens(make.account(), client)[kind]
    for hint in ("access_token", "refresh_token", "nonsense", ""):
        assert ask(party, client, token=token, token_type_hint=hint).get_json()["active"] is True


def test_to_others_it_is_no_token(party: Party, make: Make) -> None:
    portal = party.client(resources=[GATE])
    tokens = for_the_gate(party, make, portal)
    for other in (party.client(), a_gate(party, audiences=[STORE]), party.client(resources=[GATE])):
        for kind in ("access_token", "refresh_token", "id_token"):
            assert told(party, other, tokens[kind]) == {"active": False}
    assert told(party, a_gate(party), tokens["refresh_token"]) == {"active": False}, "a resource sees no refresh tokens"
    for token in ("rubbish", "a.b.c", "ноль", tokens["access_token"][:-2], tokens["id_token"]):
        assert told(party, portal, token) == {"active": False}


def test_only_a_client_that_proves_itself_may_ask(party: Party, make: Make) -> None:
    public = party.client(public=True)
    token = party.tokens(make.account(), public)["access_token"]
    assert ask(party, public, token=token).status_code == 401
    assert ask(party, None, token=token).status_code == 401
    assert ask(party, Registered(a_gate(party).client_id, "wrong"), token=token).status_code == 401


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": ["a", "b"]}, {"token": "a\0b"}])
def test_a_request_without_one_token_is_refused(party: Party, form: dict[str, Any]) -> None:
    answer = ask(party, a_gate(party), **form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_what_has_ended_is_not_active(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client(system="unet")
    people = {login: make.account(login) for login in ("revoked", "closed", "withdrawn", "late")}
    held = {login: party.tokens(someone, client) for login, someone in people.items()}
    assert all(told(party, client, tokens["access_token"])["active"] for tokens in held.values())
    party.revoke(client, token=held["revoked"]["refresh_token"])
    make.close(people["closed"])
    with party.app.app_context():
        link = db.session.scalars(select(Link).where(Link.account_id == people["withdrawn"].id)).one()
        link.active = False
        db.session.commit()
        db.session.remove()
    for login in ("revoked", "closed", "withdrawn"):
        for kind in ("access_token", "refresh_token"):
            assert told(party, client, held[login][kind]) == {"active": False}, (login, kind)
    clock.advance(minutes=10)
    assert told(party, client, held["late"]["access_token"]) == {"active": False}
    assert told(party, client, held["late"]["refresh_token"])["active"] is True
    clock.advance(seconds=make.service.profile.rules.tokens.refresh_idle / timedelta(seconds=1))
    assert told(party, client, held["late"]["refresh_token"]) == {"active": False}


def test_a_used_refresh_token_is_not_active(party: Party, make: Make) -> None:
    client = party.client()
    old = party.tokens(make.account(), client)["refresh_token"]
    new = party.refresh(client, old).get_json()["refresh_token"]
    assert told(party, client, old) == {"active": False}
    assert told(party, client, new)["active"] is True


def test_the_tokens_of_a_removed_client_are_not_active(party: Party, clock: SetClock) -> None:
    gone, gate = party.client(grant_types=["client_credentials"], redirect_uris=[], resources=[GATE]), a_gate(party)
    token = party.token(gone, grant_type="client_credentials", resource=GATE).get_json()["access_token"]
    assert told(party, gate, token)["active"] is True
    with party.app.app_context():
        row = db.session.scalars(select(Client).where(Client.client_id == gone.client_id)).one()
        row.removed_at = clock.now()
        db.session.commit()
        db.session.remove()
    assert told(party, gate, token) == {"active": False}


@pytest.mark.parametrize(
    ("accept", "signed"),
    [(SIGNED, True), (f"{SIGNED}, application/json;q=0.5", True), ("application/json", False), ("*/*", False),
     (f"application/json, {SIGNED};q=0.5", False), ("text/html", False)],
)  # fmt: skip
def test_the_answer_is_signed_for_who_prefers_that(party: Party, accept: str, signed: bool) -> None:
    answer = ask(party, a_gate(party), accept, token="x")
    assert answer.mimetype == (SIGNED if signed else "application/json")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # for the name Ed25519 (RFC 9864), which few know yet
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_signed_answer_is_for_the_one_who_asked(party: Party, clock: SetClock, algorithm: str) -> None:
    gate = a_gate(party, introspection_signed_response_alg=algorithm)
    token = party.token(gate, grant_type="client_credentials").get_json()["access_token"]
    signed = ask(party, gate, SIGNED, token=token).text
    keys = KeySet.import_key_set(party.browser().get("/oauth/jwks", base_url=party.base).get_json())
    assert jws.extract_compact(signed.encode()).headers()["typ"] == "token-introspection+jwt"
    assert jwt.decode(signed, keys, algorithms=[algorithm]).claims == {
        "iss": party.base,
        "aud": gate.client_id,
        "iat": int(clock.now().timestamp()),
        "token_introspection": told(party, gate, token),
    }
