"""What clients learn of a person, and with which token."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.signing_keys import sign
from idp.models import AffiliationRow, Client
from tests.builders import Make
from tests.idp.oauth.driver import Party, Registered, claims_in, header_of
from tests.idp.oauth.proofs import jwks
from tests.idp.oauth.reading import decrypted, encryption_keys, read_signed


def test_the_claims_are_those_of_the_scopes(party: Party, make: Make) -> None:
    someone, client = make.account(patronymic="Асановна"), party.client()
    access = party.tokens(someone, client, scope="openid profile email affiliation")["access_token"]
    assert party.userinfo(access).get_json() == {
        "sub": someone.sub,
        "name": "Үлгүбаева Aida Асановна",
        "given_name": "Aida",
        "family_name": "Үлгүбаева",
        "middle_name": "Асановна",
        "preferred_username": "aida",
        "locale": "ky",
        "email": "aida@kstu.kg",
        "email_verified": True,
        "affiliation": ["employee"],
        "department": ["0407"],
    }
    access = party.tokens(someone, client, scope="openid")["access_token"]
    assert party.userinfo(access).get_json() == {"sub": someone.sub}


def test_an_affiliation_that_is_over_is_not_told(party: Party, make: Make, clock: SetClock) -> None:
    access = party.tokens(make.account(), party.client(), scope="openid affiliation")["access_token"]
    with party.app.app_context():
        db.session.execute(update(AffiliationRow).values(ended_at=clock.now()))
        db.session.commit()
        db.session.remove()
    assert "affiliation" not in party.userinfo(access).get_json()


def test_the_token_may_come_in_the_body_but_not_twice_nor_in_the_query(party: Party, make: Make) -> None:
    access = party.tokens(make.account(), party.client())["access_token"]
    browser, place = party.browser(), {"base_url": party.base}
    header = {"Authorization": f"Bearer {access}"}
    assert browser.post("/oauth/userinfo", data={"access_token": access}, **place).status_code == 200
    assert browser.post("/oauth/userinfo", headers=header, **place).status_code == 200
    assert browser.post("/oauth/userinfo", headers=header, data={"access_token": access}, **place).status_code == 400
    assert browser.post("/oauth/userinfo", data={"access_token": [access, access]}, **place).status_code == 400
    assert browser.get("/oauth/userinfo", query_string={"access_token": access}, **place).status_code == 401


def test_without_a_token_the_challenge_says_no_more(party: Party) -> None:
    response = party.browser().get("/oauth/userinfo", base_url=party.base)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_runs_out(party: Party, make: Make, clock: SetClock) -> None:
    access = party.tokens(make.account(), party.client())["access_token"]
    clock.advance(seconds=599)
    assert party.userinfo(access).status_code == 200
    clock.advance(seconds=1)
    response = party.userinfo(access)
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_only_our_access_tokens_open_it(party: Party, make: Make) -> None:
    tokens = party.tokens(make.account(), party.client())
    access = tokens["access_token"]
    header, payload, signature = access.split(".")
    forged = [
        tokens["id_token"],  # RFC 8725, 3.12: one kind of token is not another
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.",
        f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.",
        f"{header}.{payload}",
        "...",
        "x",
        "ноль".encode().decode("latin-1"),
        "a" * 20_000,
        access + "\t",
    ]
    for token in forged:
        assert (token, party.userinfo(token.strip("\t") + "x" if "\t" in token else token).status_code) == (token, 401)


@pytest.mark.parametrize("change", [{"iss": "https://evil.example"}, {"aud": "https://evil.example"}, {"exp": 0}])
def test_a_genuine_signature_is_not_enough(party: Party, make: Make, change: dict[str, object]) -> None:
    claims = claims_in(party.tokens(make.account(), party.client())["access_token"])
    with party.app.app_context():
        token = sign(make.service, "at+jwt", claims | change)
    assert party.userinfo(token).status_code == 401


def test_scope_openid_is_needed(party: Party, make: Make) -> None:
    access = party.tokens(make.account(), party.client(), scope="profile")["access_token"]
    response = party.userinfo(access)
    assert (response.status_code, response.get_json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_client_that_registered_it_gets_the_claims_signed(party: Party, make: Make, algorithm: str) -> None:
    someone, client = make.account(), party.client(userinfo_signed_response_alg=algorithm)
    response = party.userinfo(party.tokens(someone, client)["access_token"])
    claims = read_signed(party, response.text, algorithm)
    assert (response.status_code, response.mimetype) == (200, "application/jwt")
    assert (claims["iss"], claims["aud"], claims["sub"]) == (party.base, client.client_id, someone.sub)
    assert claims["email"] == "aida@kstu.kg"


@pytest.mark.parametrize(
    ("kind", "wrap", "cipher"),
    [
        ("RSA-OAEP", "RSA-OAEP", "A256GCM"),
        ("RSA-OAEP", "RSA-OAEP-256", None),
        ("ECDH-ES", "ECDH-ES", "A256GCM"),
        ("ECDH-ES", "ECDH-ES+A128KW", "A256CBC-HS512"),
    ],
)
def test_claims_and_id_token_are_encrypted_to_the_clients_key(
    party: Party, make: Make, kind: str, wrap: str, cipher: str | None
) -> None:
    keys, someone = encryption_keys(), make.account()
    ways = {f"{what}_encrypted_response_{part}": value for what in ("userinfo", "id_token")
            for part, value in (("alg", wrap), ("enc", cipher)) if value}  # fmt: skip
    client = party.client(jwks=jwks(*keys.values()), id_token_signed_response_alg="ES256", **ways)
    tokens = party.tokens(someone, client)
    signed = {
        "ES256": tokens["id_token"],
        "RS256": party.userinfo(tokens["access_token"]).text,
    }
    for algorithm, token in signed.items():
        header = header_of(token)
        assert (header["alg"], header["enc"], header["kid"]) == (wrap, cipher or "A128CBC-HS256", keys[kind].kid)
        claims = read_signed(party, decrypted(token, keys[kind]), algorithm)
        assert (claims["sub"], claims["aud"]) == (someone.sub, client.client_id)


def test_where_the_key_is_gone_nothing_is_told_in_the_clear(party: Party, make: Make) -> None:
    client = party.client(
        jwks=jwks(encryption_keys()["RSA-OAEP"]), userinfo_encrypted_response_alg="RSA-OAEP", scope="openid email"
    )
    someone = make.account()
    access = party.tokens(someone, client)["access_token"]
    changed(party, client, jwks=jwks(encryption_keys()["ECDH-ES"]), id_token_encrypted_response_alg="RSA-OAEP")
    for response in (party.userinfo(access), party.redeem(client, party.code(someone, client))):
        assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
        assert "encryption key" in response.get_json()["error_description"]
        assert not {"access_token", "email"} & response.get_json().keys()


def test_no_code_and_no_token_is_spent_while_the_client_has_no_key(party: Party, make: Make) -> None:
    """It mends its keys and comes again with what it has."""
    key, wrong = encryption_keys()["RSA-OAEP"], jwks(encryption_keys()["ECDH-ES"])
    client = party.client(
        jwks=jwks(key), id_token_encrypted_response_alg="RSA-OAEP", id_token_signed_response_alg="ES256"
    )
    code = party.code(make.account(), client)

    def without_key_then_with(act: Callable[[], TestResponse]) -> dict[str, Any]:
        changed(party, client, jwks=wrong)
        refused = [act(), act()]
        assert [(told.status_code, told.get_json()["error"]) for told in refused] == [(400, "invalid_request")] * 2
        changed(party, client, jwks=jwks(key))
        tokens = act().get_json()
        read_signed(party, decrypted(tokens["id_token"], key), "ES256")
        return dict(tokens)

    tokens = without_key_then_with(lambda: party.redeem(client, code))
    renewed = without_key_then_with(lambda: party.refresh(client, tokens["refresh_token"]))
    assert party.userinfo(renewed["access_token"]).status_code == 200


def changed(party: Party, client: Registered, **registration: Any) -> None:
    """As if what is registered had not been checked: keys that are published elsewhere change at any time."""
    with party.app.app_context():
        row = db.session.scalars(select(Client).where(Client.client_id == client.client_id)).one()
        row.registration = row.registration | registration
        db.session.commit()
        db.session.remove()
