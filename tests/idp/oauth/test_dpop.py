"""Tokens bound to a key: the proof, the nonce, the token, and what somebody who stole one can do with it."""

from typing import Any

import pytest
from joserfc.jwk import ECKey
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.oauth.client_assertion import ASSERTION_TYPE
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, claims_in
from tests.idp.oauth.proofs import Prover, jwks, new_keys
from tests.idp.oauth.test_races import HANDS, at_once

FOR_ITSELF = {"grant_type": "client_credentials"}


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


@pytest.fixture
def client(party: Party) -> Registered:
    return party.client(grant_types=["authorization_code", "refresh_token", "client_credentials"])


def ask(party: Party, client: Registered, proof: str | None) -> TestResponse:
    return party.token(client, {"DPoP": proof} if proof is not None else {}, **FOR_ITSELF)


def bound_tokens(party: Party, make: Make, prover: Prover, client: Registered) -> dict[str, Any]:
    """The token response of a code flow with a proof."""
    answer = party.redeem(client, party.code(make.account(), client), headers={"DPoP": prover.proof()})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_with_a_proof_the_token_is_bound_to_its_key(party: Party, client: Registered) -> None:
    for algorithm, key in new_keys().items():
        prover = Prover(party, key, algorithm)
        answer = ask(party, client, prover.proof())
        assert (answer.status_code, answer.get_json()["token_type"]) == (200, "DPoP"), algorithm
        assert claims_in(answer.get_json()["access_token"])["cnf"] == {"jkt": prover.jkt}
        assert answer.headers["DPoP-Nonce"], "offered to whoever uses proofs"
    plain = ask(party, client, None)
    assert plain.get_json()["token_type"] == "Bearer"
    assert "cnf" not in claims_in(plain.get_json()["access_token"])
    assert "DPoP-Nonce" not in plain.headers


def test_what_clients_do_differently_within_the_standard_is_accepted(
    party: Party, prover: Prover, client: Registered
) -> None:
    for spoiled in [
        {"htu": "HTTP://LOCALHOST/oauth/token"},
        {"htu": "http://localhost:80/oauth/token?a=b#c"},
        {"iat": prover.now - 60},
        {"iat": prover.now + 10},
        {"iat": prover.now + 0.5},
        {"more": {"of": "it"}},
        {"header": {"typ": "DPOP+JWT"}},
        {"header": {"jwk": {**prover.key.as_dict(private=False), "kid": "my key", "use": "sig", "alg": "ES256"}}},
    ]:
        answer = ask(party, client, prover.proof(**spoiled))  # type: ignore[arg-type]
        assert answer.status_code == 200, spoiled


def hostile(prover: Prover) -> dict[str, str]:
    """Proofs that must not be accepted, by what is wrong with them."""
    now, stranger = prover.now, ECKey.generate_key("P-256")
    spoiled: dict[str, dict[str, Any]] = {
        "another method": {"htm": "GET"},
        "method in small letters": {"htm": "post"},
        "no method": {"htm": None},
        "another host": {"htu": "http://evil.example/oauth/token"},
        "another scheme": {"htu": "https://localhost/oauth/token"},
        "another port": {"htu": "http://localhost:8080/oauth/token"},
        "a port that is none": {"htu": "http://localhost:99999/oauth/token"},
        "another path": {"htu": "http://localhost/oauth/userinfo"},
        "a longer path": {"htu": "http://localhost/oauth/token/"},
        "somebody in the host": {"htu": "http://evil@localhost/oauth/token"},
        "no place": {"htu": None},
        "a place of another kind": {"htu": ["http://localhost/oauth/token"]},
        "too old": {"iat": now - 61},
        "from the future": {"iat": now + 11},
        "no time": {"iat": None},
        "time in words": {"iat": str(now)},
        "true as a time": {"iat": True},
        "no jti": {"jti": None},
        "an empty jti": {"jti": ""},
        "a number as jti": {"jti": 1},
        "no type": {"header": {"typ": None}},
        "another type": {"header": {"typ": "JWT"}},
        "no key": {"header": {"jwk": None}},
        "a text as key": {"header": {"jwk": "key"}},
        "the private key": {"header": {"jwk": prover.key.as_dict(private=True)}},
        "another key": {"header": {"jwk": stranger.as_dict(private=False)}},
        "a symmetric key": {"header": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}},
        "a key for encryption": {"header": {"jwk": {**prover.key.as_dict(private=False), "use": "enc"}}},
        "something critical": {"header": {"crit": ["exp"]}},
    }
    head, body, signature = prover.proof().split(".")
    return {name: prover.proof(**changes) for name, changes in spoiled.items()} | {
        "empty": "",
        "no JWT": "x",
        "not signed": f"{head}.{body}.",
        "signature cut": f"{head}.{body}.{signature[:-8]}",
        "two in one": prover.proof() + "," + prover.proof(),
        "endless": prover.proof(more="x" * 9_000),
    }


def test_hostile_proofs_get_no_token(party: Party, prover: Prover, client: Registered) -> None:
    for name, proof in hostile(prover).items():
        answer = ask(party, client, proof)
        assert (name, answer.status_code, answer.get_json()) == (
            name,
            400,
            {"error": "invalid_dpop_proof", "error_description": "the DPoP proof can't be accepted"},
        )


def test_two_headers_are_none(party: Party, prover: Prover, client: Registered) -> None:
    headers = Headers([("DPoP", prover.proof()), ("DPoP", prover.proof())])
    answer = party.app.test_client().post(
        "/oauth/token",
        base_url=party.base,
        headers=headers,
        data={**FOR_ITSELF, "client_id": client.client_id, "client_secret": client.secret},
    )
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_dpop_proof")


def test_a_proof_holds_once_and_nobody_else_spends_it(
    party: Party, prover: Prover, client: Registered, clock: SetClock
) -> None:
    proof = prover.proof(jti="7", iat=prover.now + 10)
    assert ask(party, client, proof).status_code == 200
    assert ask(party, client, proof).get_json()["error"] == "invalid_dpop_proof"
    assert ask(party, client, Prover(party).proof(jti="7")).status_code == 200, "identifiers are those of a key"
    clock.advance(seconds=70)
    assert ask(party, client, proof).get_json()["error"] == "invalid_dpop_proof", "as long as it could be accepted"


def test_of_twenty_hands_with_one_proof_one_gets_a_token(party: Party, prover: Prover, client: Registered) -> None:
    proof = prover.proof()
    answers = at_once(lambda: ask(party, client, proof))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (HANDS - 1)


def test_a_nonce_is_ours_and_recent(party: Party, prover: Prover, client: Registered, clock: SetClock) -> None:
    refused = ask(party, client, prover.proof(nonce="made up"))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "use_dpop_nonce")
    nonce = refused.headers["DPoP-Nonce"]
    assert ask(party, client, prover.proof(nonce=nonce)).status_code == 200
    clock.advance(seconds=150)
    assert ask(party, client, prover.proof(nonce=nonce)).status_code == 200
    clock.advance(seconds=150)
    stale = ask(party, client, prover.proof(nonce=nonce))
    assert (stale.status_code, stale.get_json()["error"]) == (400, "use_dpop_nonce")
    assert stale.headers["DPoP-Nonce"] != nonce
    assert ask(party, client, prover.proof(nonce=7)).get_json()["error"] == "use_dpop_nonce"


def test_a_client_that_must_bind_its_tokens_gets_none_without_a_proof(party: Party, prover: Prover) -> None:
    client = party.client(grant_types=["client_credentials"], dpop_bound_access_tokens=True)
    refused = ask(party, client, None)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_request")
    assert ask(party, client, prover.proof()).status_code == 200


def test_under_a_security_profile_the_proof_needs_our_nonce(party: Party) -> None:
    keys = new_keys()
    prover, weak = Prover(party, keys["ES256"]), Prover(party, keys["RS256"], "RS256")
    client = party.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials", "authorization_code"],
        jwks=jwks(prover.key),
        security_profile="fapi2-security",
    )

    def ask_as(proof: str | None) -> TestResponse:
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": prover.assertion(client)}
        return party.token(None, {"DPoP": proof} if proof else {}, **FOR_ITSELF, **form)

    assert ask_as(None).get_json()["error"] == "invalid_request"
    told = ask_as(prover.proof())
    assert (told.status_code, told.get_json()["error"]) == (400, "use_dpop_nonce")
    nonce = told.headers["DPoP-Nonce"]
    assert ask_as(weak.proof(nonce=nonce)).get_json()["error"] == "invalid_dpop_proof", "FAPI 2.0, 5.4.1"
    answer = ask_as(prover.proof(nonce=nonce))
    assert (answer.status_code, answer.get_json()["token_type"]) == (200, "DPoP")


# --- at the resource


def test_only_the_holder_of_the_key_can_use_the_token(party: Party, make: Make, prover: Prover) -> None:
    client = party.client()
    tokens = bound_tokens(party, make, prover, client)
    access, thief = tokens["access_token"], Prover(party)
    assert prover.userinfo(access, prover.proof_for(access)).status_code == 200
    other = party.tokens(make.account(login="nurlan"), client)["access_token"]
    attempts = {
        "as a bearer token": prover.userinfo(access, scheme="Bearer"),
        "as a bearer token with a proof": prover.userinfo(access, prover.proof_for(access), scheme="Bearer"),
        "without a proof": prover.userinfo(access),
        "with a thief's proof": thief.userinfo(access, thief.proof_for(access)),
        "with a proof for no token": prover.userinfo(access, prover.proof("/oauth/userinfo", "GET")),
        "with a proof for another token": prover.userinfo(access, prover.proof_for(other)),
        "with a proof for another method": prover.userinfo(access, prover.proof_for(access, htm="POST")),
        "with a proof for another place": prover.userinfo(access, prover.proof_for(access, htu=party.base + "/")),
        "a bearer token as a bound one": prover.userinfo(other, prover.proof_for(other)),
    }
    assert {name: answer.status_code for name, answer in attempts.items()} == dict.fromkeys(attempts, 401)
    assert 'DPoP error="invalid_dpop_proof"' in attempts["without a proof"].headers["WWW-Authenticate"]
    assert 'Bearer error="invalid_token"' in attempts["as a bearer token"].headers["WWW-Authenticate"]
    assert 'DPoP error="invalid_token"' in attempts["with a thief's proof"].headers["WWW-Authenticate"]
    posted = party.app.test_client().post("/oauth/userinfo", base_url=party.base, data={"access_token": access})
    assert posted.status_code == 401


def test_a_proof_at_the_resource_holds_once(party: Party, make: Make, prover: Prover) -> None:
    access = bound_tokens(party, make, prover, party.client())["access_token"]
    proof = prover.proof_for(access)
    answers = at_once(lambda: prover.userinfo(access, proof))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (HANDS - 1)


def test_the_resource_tells_its_nonce(party: Party, make: Make, prover: Prover) -> None:
    access = bound_tokens(party, make, prover, party.client())["access_token"]
    refused = prover.userinfo(access, prover.proof_for(access, nonce="made up"))
    assert (refused.status_code, refused.get_json()["error"]) == (401, "use_dpop_nonce")
    assert 'DPoP error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
    nonce = refused.headers["DPoP-Nonce"]
    assert prover.userinfo(access, prover.proof_for(access, nonce=nonce)).status_code == 200


# --- codes and refresh tokens


def test_a_code_asked_for_with_a_thumbprint_is_for_that_key(party: Party, make: Make, prover: Prover) -> None:
    client, someone = party.client(), make.account()
    for proof in (None, Prover(party).proof()):
        code = party.code(someone, client, dpop_jkt=prover.jkt)
        headers = {"DPoP": proof} if proof else {}
        assert party.redeem(client, code, headers=headers).get_json()["error"] == "invalid_grant"
    code = party.code(someone, client, dpop_jkt=prover.jkt)
    assert party.redeem(client, code, headers={"DPoP": prover.proof()}).status_code == 200


def test_the_refresh_token_of_a_public_client_is_for_its_key(party: Party, make: Make, prover: Prover) -> None:
    client = party.client(public=True)
    refresh_token = bound_tokens(party, make, prover, client)["refresh_token"]
    thief = Prover(party)
    assert party.refresh(client, refresh_token).get_json()["error"] == "invalid_grant"
    assert party.refresh(client, refresh_token, headers={"DPoP": thief.proof()}).get_json()["error"] == "invalid_grant"
    answer = party.refresh(client, refresh_token, headers={"DPoP": prover.proof()})
    assert claims_in(answer.get_json()["access_token"])["cnf"] == {"jkt": prover.jkt}


def test_a_proof_at_the_pushed_request_binds_the_code(party: Party, make: Make, prover: Prover) -> None:
    client, someone = party.client(), make.account()

    def push(proof: str) -> TestResponse:
        form = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
        form |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s-1", "nonce": "n-1"}
        form |= {"client_id": client.client_id, "client_secret": client.secret or ""}
        headers = {"DPoP": proof}
        return party.app.test_client().post("/oauth/par", base_url=party.base, data=form, headers=headers)

    wrong = push(prover.proof())
    assert (wrong.status_code, wrong.get_json()["error"]) == (400, "invalid_dpop_proof"), "made for another endpoint"
    pushed = push(prover.proof("/oauth/par"))
    assert pushed.status_code == 201, pushed.text
    browser = party.browser(someone)
    asked = {"client_id": client.client_id, "request_uri": pushed.get_json()["request_uri"]}
    answer = browser.get("/oauth/authorize", base_url=party.base, query_string=asked)
    code = dict(pair.split("=", 1) for pair in answer.headers["Location"].partition("?")[2].split("&"))["code"]
    assert party.redeem(client, code).get_json()["error"] == "invalid_grant"
