"""Requests that no sane client makes: endless numbers, endless depth, values of the wrong kind.  They are mistakes, told
to the client; none is a failure of ours, none is kept."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from idp.clock import SetClock
from idp.oauth.client_keys import forget_fetched_keys
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, answer_of
from tests.idp.oauth.proofs import Prover, jwks, sign
from tests.idp.oauth.publisher import Publisher, publisher

TYPE = "oauth-authz-req+jwt"
DEEP = "[" * 500 + "]" * 500


@pytest.fixture
def published() -> Iterator[Publisher]:
    forget_fetched_keys()
    with publisher() as running:
        yield running


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


def signing(party: Party, prover: Prover, **changes: Any) -> Registered:
    return party.client(jwks=jwks(prover.key), **changes)


def signed(prover: Prover, client: Registered, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A whole request as the client signs it; a change to None leaves a claim out."""
    claims = {
        "iss": client.client_id,
        "aud": prover.party.base,
        "nbf": prover.now,
        "exp": prover.now + 300,
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "signed",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return sign(claims, prover.key, **({"alg": "ES256", "typ": TYPE} | (header or {})))


def signed_as_it_stands(prover: Prover, claims: str) -> str:
    """For JSON that no library writes."""
    head = sign({}, prover.key, alg="ES256", typ=TYPE).split(".")[0]
    payload = f"{head}.{_encoded(claims.encode())}"
    return f"{payload}.{_encoded(JWSRegistry.algorithms['ES256'].sign(payload.encode(), prover.key))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "asked",
    [
        "7",
        "[]",
        '{"userinfo":[]}',
        '{"userinfo":{"email":7}}',
        '{"userinfo":{"email":{"value":NaN}}}',
        '{"userinfo":{"email":{"value":"\\ud800"}}}',
        '{"userinfo":{"\\u0000":null}}',
        '{"userinfo":{"email":null,"email":{}}}',
        f'{{"userinfo":{{"email":{{"value":{DEEP}}}}}}}',
        json.dumps({"userinfo": dict.fromkeys(map(str, range(101)))}),
    ],
)
def test_a_claims_request_that_is_none_is_refused_before_it_is_kept(party: Party, asked: str) -> None:
    """Some would only break later: in a database, or while they are copied."""
    assert answer_of(party.authorize(party.browser(), party.client(), claims=asked))["error"] == "invalid_request"


@pytest.mark.parametrize("value", ["NaN", DEEP, '"\\ud800"'])
def test_authorization_details_are_held_to_the_same(party: Party, value: str) -> None:
    client = party.client(authorization_details_types=["pay"])
    details = f'[{{"type":"pay","value":{value}}}]'
    answer = answer_of(party.authorize(party.browser(), client, authorization_details=details))
    assert answer["error"] == "invalid_authorization_details"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": 7}, "invalid_scope"),
        ({"scope": ["openid", "email"]}, "invalid_scope"),
        ({"scope": {"openid": True}}, "invalid_scope"),
        ({"response_type": 7}, "unsupported_response_type"),
        ({"max_age": 1.5}, "invalid_request"),
        ({"max_age": 10**40}, "invalid_request"),
        ({"state": "x\ny"}, "invalid_request"),
        ({"claims": "no JSON"}, "invalid_request"),
        ({"prompt": ["none"]}, "invalid_request"),
        ({"aud": True}, "invalid_request_object"),
        ({"iss": 7}, "invalid_request_object"),
        ({"client_id": 7}, "invalid_request_object"),
        ({"exp": True}, "invalid_request_object"),
    ],
)
def test_a_signature_does_not_make_odd_values_good(
    party: Party, prover: Prover, changes: dict[str, Any], error: str
) -> None:
    client = signing(party, prover)
    answer = answer_of(party.authorize(party.browser(), client, request=signed(prover, client, **changes)))
    assert answer["error"] == error


@pytest.mark.parametrize("moments", [{"exp": 10**400, "nbf": 1.5}, {"exp": 10**400}, {"exp": 10**400, "nbf": None}])
def test_an_object_is_not_valid_for_ever(party: Party, prover: Prover, moments: dict[str, Any]) -> None:
    client = signing(party, prover, require_signed_request_object=True)
    answer = answer_of(party.authorize(party.browser(), client, request=signed(prover, client, **moments)))
    assert answer["error"] == "invalid_request_object"


@pytest.mark.parametrize("name", ["claims", "authorization_details", "resource", "x"])
def test_depth_without_end_is_a_mistake_and_no_failure(party: Party, prover: Prover, name: str) -> None:
    client, browser = signing(party, prover, authorization_details_types=["pay"]), party.browser()
    for levels in (30, 300, 600, *range(840, 1_000, 16)):
        request = signed_as_it_stands(prover, f'{{"{name}":{"[" * levels}{"]" * levels}}}')
        assert party.authorize(browser, client, request=request).status_code == 303, levels


@pytest.mark.parametrize("registered", [{}, {"request_object_signing_alg": "RS256"}])
def test_a_client_of_the_strict_profile_does_not_sign_with_weaker_algorithms(
    party: Party, prover: Prover, registered: dict[str, str]
) -> None:
    weak = Prover(party, RSAKey.generate_key(2048))
    client = party.client(
        token_endpoint_auth_method="private_key_jwt", jwks=jwks(weak.key, prover.key),
        security_profile="fapi2-message-signing", **registered,
    )  # fmt: skip
    form = {"request": signed(weak, client, {"alg": "RS256"})} | prover.asserts(client)
    answer = party.app.test_client().post("/oauth/par", base_url=party.base, data=form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request_object")


def test_a_client_that_changed_its_keys_is_asked_for_them(
    party: Party, make: Make, published: Publisher, clock: SetClock
) -> None:
    old, new = (Prover(party, ECKey.generate_key("P-256", {"kid": kid})) for kid in ("old", "new"))
    client = party.client(jwks_uri=published.url("/keys", jwks(old.key)))
    browser = party.browser(make.account())
    assert "code" in answer_of(party.authorize(browser, client, request=signed(old, client, {"kid": "old"})))
    published.url("/keys", jwks(new.key))
    clock.advance(seconds=61)
    assert "code" in answer_of(party.authorize(browser, client, request=signed(new, client, {"kid": "new"})))
