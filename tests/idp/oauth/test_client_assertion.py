"""Clients that sign for themselves: what is accepted, once, and what is not, all with one answer."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db, reader
from idp.models import SpentJti
from idp.oauth.client_keys import forget_fetched_keys
from tests.idp.oauth.driver import Party, Registered
from tests.idp.oauth.proofs import Prover, jwks, new_keys, sign
from tests.idp.oauth.publisher import Publisher, publisher
from tests.idp.oauth.test_races import HANDS, at_once

FOR_ITSELF = {"grant_type": "client_credentials"}


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


@pytest.fixture
def published() -> Iterator[Publisher]:
    forget_fetched_keys()
    with publisher() as running:
        yield running


def signing_client(party: Party, prover: Prover, **changes: Any) -> Registered:
    """A client with the prover's key."""
    keys = {} if "jwks_uri" in changes else {"jwks": jwks(prover.key)}
    return party.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["authorization_code", "client_credentials"],
        **(keys | changes),
    )


def ask(party: Party, prover: Prover, client: Registered, assertion: str | None = None, **more: Any) -> TestResponse:
    return party.token(None, **FOR_ITSELF, **prover.asserts(client, assertion, **more))


def accepted(party: Party, prover: Prover, client: Registered, assertion: str) -> bool:
    """Whether the assertion proves the client, whatever tokens it might get: asked where none come of it."""
    answer = party.revoke(None, token="none of ours", **prover.asserts(client, assertion))
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_each_algorithm_of_a_registered_key_proves_the_client(party: Party) -> None:
    keys = new_keys()
    for algorithm, key in keys.items():
        prover = Prover(party, key, algorithm)
        answer = ask(party, prover, signing_client(party, prover))
        assert (algorithm, answer.status_code) == (algorithm, 200)


def test_what_clients_do_differently_within_the_standard_is_accepted(party: Party, prover: Prover) -> None:
    client = signing_client(party, prover)
    now, token_endpoint = prover.now, party.base + "/oauth/token"
    for spoiled in [
        {"aud": [party.base, "https://other.example"]},
        {"aud": token_endpoint},
        {"aud": [token_endpoint]},
        {"aud": party.base + "/oauth/revoke"},
        {"iat": None},
        {"iat": now + 9, "nbf": now + 9},
        {"iat": now - 599},
        {"exp": now - 9},
        {"exp": now + 300},
        {"exp": now + 60.5},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "client-authentication+jwt"}},
        {"header": {"kid": prover.key.thumbprint()}},
    ]:
        assert accepted(party, prover, client, prover.assertion(client, **spoiled)), spoiled  # type: ignore[arg-type]


def hostile(prover: Prover, client: Registered, other: Registered) -> dict[str, str]:
    """Assertions that must not be accepted, by what is wrong with them."""
    now, stranger = prover.now, ECKey.generate_key("P-256")
    spoiled: dict[str, dict[str, Any]] = {
        "another issuer": {"iss": other.client_id},
        "another subject": {"sub": other.client_id},
        "issuer missing": {"iss": None},
        "a foreign audience": {"aud": "https://evil.example"},
        "an audience that begins like ours": {"aud": prover.party.base + ".evil.example"},
        "a list of foreign audiences": {"aud": ["https://evil.example", 7]},
        "no audience": {"aud": None},
        "audience of another kind": {"aud": {prover.party.base: 1}},
        "expired": {"exp": now - 10},
        "ten years": {"exp": now + 315_360_000},
        "over five minutes": {"exp": now + 311},
        "no end": {"exp": None},
        "an end in words": {"exp": str(now + 60)},
        "true as an end": {"exp": True},
        "made too long ago": {"iat": now - 601},
        "made in the future": {"iat": now + 11},
        "not yet": {"nbf": now + 11},
        "nbf in words": {"nbf": "now"},
        "no jti": {"jti": None},
        "an empty jti": {"jti": ""},
        "a number as jti": {"jti": 7},
        "an endless jti": {"jti": "j" * 257},
        "another type": {"header": {"typ": "dpop+jwt"}},
        "an access token's type": {"header": {"typ": "at+jwt"}},
        "a stranger's key": {"key": stranger},
        "a stranger's key in the header": {"key": stranger, "header": {"jwk": stranger.as_dict(private=False)}},
        "an unknown kid": {"header": {"kid": "nobody"}},
    }
    made = {name: prover.assertion(client, **changes) for name, changes in spoiled.items()}
    good = prover.assertion(client)
    head, body, signature = good.split(".")
    return made | {
        "not signed": f"eyJhbGciOiJub25lIn0.{body}.",
        "signature cut": f"{head}.{body}.{signature[:-8]}",
        "no JWT": "x",
        "endless": good + "A" * 20_000,
        "an HMAC with the public key": _hmac_with_public_key(prover, client),
    }


def _hmac_with_public_key(prover: Prover, client: Registered) -> str:
    """RFC 8725, 2.1: the public key taken for a secret."""
    return prover.assertion(client, prover.key.as_pem(private=False), {"alg": "HS256"})


def test_hostile_assertions_get_one_answer(party: Party, prover: Prover) -> None:
    client = signing_client(party, prover)
    assertions = hostile(prover, client, signing_client(party, prover))
    answers = {name: ask(party, prover, client, assertion) for name, assertion in assertions.items()}
    endless = answers.pop("endless")  # refused with the form, before anybody is authenticated
    assert (endless.status_code, endless.get_json()["error"]) == (400, "invalid_request")
    expected = answers["no JWT"].text
    assert {name: (answer.status_code, answer.text) for name, answer in answers.items()} == dict.fromkeys(
        answers, (401, expected)
    )
    assert answers["no JWT"].get_json() == {
        "error": "invalid_client",
        "error_description": "client authentication failed",
    }
    assert not any("WWW-Authenticate" in answer.headers for answer in answers.values())
    assert ask(party, prover, client).status_code == 200, "the client itself is well"


def test_the_form_must_fit_the_assertion(party: Party, prover: Prover) -> None:
    client, other = signing_client(party, prover), party.client()
    assert ask(party, prover, client, client_id=client.client_id).status_code == 200
    for changes, answer in [
        ({"client_id": other.client_id}, (400, "invalid_request")),
        ({"client_secret": "x"}, (400, "invalid_request")),
        (
            {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
            (401, "invalid_client"),
        ),
        ({"client_assertion_type": ""}, (401, "invalid_client")),
    ]:
        refused = ask(party, prover, client, **changes)
        assert (refused.status_code, refused.get_json()["error"]) == answer, changes
    bare = party.token(client, **FOR_ITSELF)
    assert (bare.status_code, bare.get_json()["error"]) == (401, "invalid_client")


def test_a_client_may_narrow_itself_to_one_algorithm(party: Party) -> None:
    keys = new_keys()
    both = jwks(keys["ES256"], keys["EdDSA"])
    strict, loose = Prover(party, keys["ES256"]), Prover(party, keys["EdDSA"], "EdDSA")
    client = signing_client(party, strict, jwks=both, token_endpoint_auth_signing_alg="ES256")
    assert accepted(party, strict, client, strict.assertion(client))
    assert not accepted(party, loose, client, loose.assertion(client))


def test_under_a_security_profile_the_audience_is_the_issuer_alone(party: Party) -> None:
    keys = new_keys()
    prover, weak = Prover(party, keys["PS256"], "PS256"), Prover(party, keys["RS256"], "RS256")
    client = signing_client(party, prover, security_profile="fapi2-security")
    assert accepted(party, prover, client, prover.assertion(client))
    for audience in ([party.base], party.base + "/oauth/token", party.base + "/oauth/revoke"):
        assert not accepted(party, prover, client, prover.assertion(client, aud=audience)), audience
    assert not accepted(party, weak, client, weak.assertion(client)), "FAPI 2.0, 5.4.1: no RS256"


def test_an_assertion_is_accepted_once(party: Party, prover: Prover, clock: SetClock) -> None:
    client = signing_client(party, prover)
    assertion = prover.assertion(client, exp=prover.now + 300)
    assert ask(party, prover, client, assertion).status_code == 200
    assert ask(party, prover, client, assertion).status_code == 401
    clock.advance(seconds=309)
    assert ask(party, prover, client, assertion).status_code == 401, "until it has run out"


def test_two_clients_may_choose_the_same_identifier(party: Party, prover: Prover) -> None:
    for client in (signing_client(party, prover), signing_client(party, prover)):
        assert accepted(party, prover, client, prover.assertion(client, jti="1"))


def test_of_twenty_hands_with_one_assertion_one_gets_a_token(party: Party, prover: Prover) -> None:
    client = signing_client(party, prover)
    assertion = prover.assertion(client)
    answers = at_once(lambda: ask(party, prover, client, assertion))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (HANDS - 1)


def test_what_has_run_out_is_swept(party: Party, prover: Prover, clock: SetClock) -> None:
    client = signing_client(party, prover)
    for _ in range(3):
        accepted(party, prover, client, prover.assertion(client))
    clock.advance(minutes=11)
    accepted(party, prover, client, prover.assertion(client))
    with party.app.app_context(), reader().connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SpentJti)) == 1
        db.session.remove()


# --- by an HMAC


def test_the_secret_as_the_key_of_an_hmac_proves_the_client(party: Party, prover: Prover) -> None:
    client = party.client(token_endpoint_auth_method="client_secret_jwt")
    assert client.secret is not None
    by_hmac = {"alg": "HS256"}
    good = prover.assertion(client, client.secret.encode(), by_hmac)
    assert accepted(party, prover, client, good)
    assert not accepted(party, prover, client, good), "once"
    wrong = prover.assertion(client, b"x" * 43, by_hmac)
    assert not accepted(party, prover, client, wrong)
    assert not accepted(party, prover, client, prover.assertion(client)), "a signature is another method"


def test_whoever_registered_an_hmac_may_not_send_the_secret_itself(party: Party) -> None:
    client = party.client(token_endpoint_auth_method="client_secret_jwt")
    assert party.revoke(client, token="x").status_code == 401
    assert party.revoke(None, token="x", client_id=client.client_id, client_secret=client.secret).status_code == 401


def test_a_client_with_a_plain_secret_may_not_sign_with_it(party: Party, prover: Prover) -> None:
    client = party.client()
    assert client.secret is not None
    assert not accepted(party, prover, client, prover.assertion(client, client.secret.encode(), {"alg": "HS256"}))


# --- published keys


def test_new_keys_are_fetched_when_one_is_unknown_but_once_a_minute(
    party: Party, published: Publisher, clock: SetClock
) -> None:
    old, new = Prover(party), Prover(party)
    address = published.url("/keys", jwks(old.key))
    client = signing_client(party, old, jwks_uri=address)

    def proves(prover: Prover, kid: str | None = None) -> bool:
        header = {"kid": kid or prover.key.thumbprint()}
        return accepted(party, prover, client, prover.assertion(client, header=header))

    published.url("/keys", {"keys": [old.key.as_dict(private=False, kid=old.key.thumbprint())]})
    assert proves(old) and proves(old)
    assert len(published.asked) == 1, "known keys are not fetched again"
    published.url("/keys", {"keys": [new.key.as_dict(private=False, kid=new.key.thumbprint())]})
    assert proves(new) and not proves(old)
    assert len(published.asked) == 2
    assert not any(proves(new, kid=f"unknown-{number}") for number in range(5))
    assert len(published.asked) == 2, "nobody makes us ask more often than once a minute"
    clock.advance(seconds=61)
    assert not proves(new, kid="unknown")
    assert len(published.asked) == 3


def test_keys_that_were_withdrawn_are_forgotten_after_five_minutes(
    party: Party, published: Publisher, clock: SetClock
) -> None:
    prover, successor = Prover(party), Prover(party)
    client = signing_client(party, prover, jwks_uri=published.url("/keys", jwks(prover.key)))
    assert accepted(party, prover, client, prover.assertion(client))
    published.url("/keys", jwks(successor.key))
    clock.advance(seconds=299)
    assert accepted(party, prover, client, prover.assertion(client))
    clock.advance(seconds=1)
    assert not accepted(party, prover, client, prover.assertion(client))
    assert accepted(party, successor, client, successor.assertion(client))


@pytest.mark.parametrize(
    "document", [500, b"no json", b"[" * 60_000, {"keys": []}, [], {"keys": [{"kty": "oct", "k": "eA"}]}]
)
def test_without_keys_nobody_is_proven_and_the_address_is_left_in_peace(
    party: Party, published: Publisher, clock: SetClock, document: Any
) -> None:
    prover = Prover(party)
    client = signing_client(party, prover, jwks_uri=published.url("/keys", document))
    assert not any(accepted(party, prover, client, prover.assertion(client)) for _ in range(3))
    assert len(published.asked) == 1
    published.url("/keys", jwks(prover.key))
    clock.advance(seconds=10)
    assert accepted(party, prover, client, prover.assertion(client))


def test_many_assertions_at_once_don_t_wait_for_one_fetch(party: Party, published: Publisher) -> None:
    prover = Prover(party)
    client = signing_client(party, prover, jwks_uri=published.url("/keys", jwks(prover.key)))
    answers = at_once(lambda: ask(party, prover, client))
    assert {answer.status_code for answer in answers} == {200}


def test_a_claim_of_a_jwt_is_not_believed_before_its_signature(party: Party, prover: Prover) -> None:
    """The client is found by the unverified subject; nothing else of it counts."""
    unknown = sign({"sub": "nobody", "iss": "nobody"}, prover.key, alg="ES256")
    answer = party.token(None, **FOR_ITSELF, client_assertion=unknown, client_assertion_type=_type(prover))
    assert answer.status_code == 401


def _type(prover: Prover) -> str:
    return str(prover.asserts(Registered("x", None), "x")["client_assertion_type"])
