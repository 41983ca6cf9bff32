"""Request objects (RFC 9101; OIDC Core, 6): signed by the client, for us, for now; and what they say goes first."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.jose import encrypt_jwt
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, answer_of, claims_in
from tests.idp.oauth.proofs import Prover, jwks, new_keys, sign
from tests.idp.oauth.publisher import Publisher, publisher

TYPE = "oauth-authz-req+jwt"
INSIDE = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid email",
    "state": "inside",
    "nonce": "n-inside",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


@pytest.fixture
def published() -> Iterator[Publisher]:
    with publisher() as running:
        yield running


def signing_client(party: Party, prover: Prover, **changes: Any) -> Registered:
    return party.client(**({"jwks": jwks(prover.key)} | changes))


def strict_client(party: Party, prover: Prover, **changes: Any) -> Registered:
    """One that must sign every request."""
    return signing_client(party, prover, require_signed_request_object=True, **changes)


def signed(
    prover: Prover, client: Registered, key: Any = None, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    """An object that would hold; a change to None leaves a claim out."""
    about = {"iss": client.client_id, "client_id": client.client_id, "aud": prover.party.base}
    times = {"nbf": prover.now, "exp": prover.now + 60}
    head = {"alg": prover.algorithm, "typ": TYPE} | (header or {})
    return sign(INSIDE | about | times | changes, key or prover.key, **head)


def come(party: Party, make: Make, client: Registered, /, **parameters: Any) -> TestResponse:
    """The browser comes with these parameters and no others."""
    asked = {"client_id": client.client_id} | parameters
    browser = party.browser(make.account())
    return browser.get("/oauth/authorize", base_url=party.base, query_string=asked)


def test_all_of_the_request_may_stand_inside(party: Party, make: Make, prover: Prover) -> None:
    client = signing_client(party, prover)
    answer = answer_of(come(party, make, client, request=signed(prover, client)))
    assert (answer["state"], answer["iss"]) == ("inside", party.base)
    tokens = party.redeem(client, answer["code"]).get_json()
    assert (tokens["scope"], claims_in(tokens["id_token"])["nonce"]) == ("openid email", "n-inside")


def test_what_is_signed_goes_before_what_stands_beside_it(party: Party, make: Make, prover: Prover) -> None:
    client = signing_client(party, prover)
    beside = {"redirect_uri": "https://evil.example/", "scope": "openid profile", "state": "outside", "nonce": "other"}
    answer = answer_of(come(party, make, client, request=signed(prover, client), **beside))
    assert answer["state"] == "inside"
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid email"


def test_what_is_missing_inside_is_taken_from_beside_unless_the_client_must_sign(
    party: Party, make: Make, prover: Prover
) -> None:
    """OIDC Core, 6.1; RFC 9101, 6.3 wants it otherwise, which is what the stricter clients get."""
    plain, strict = signing_client(party, prover), strict_client(party, prover)
    someone, beside = make.account(), {"state": "outside", "scope": "openid email", "response_type": "code"}
    for client, state in ((plain, "outside"), (strict, None)):
        asked = {"client_id": client.client_id, "request": signed(prover, client, state=None)} | beside
        browser = party.browser(someone)
        answer = answer_of(browser.get("/oauth/authorize", base_url=party.base, query_string=asked))
        assert ("code" in answer, answer.get("state")) == (True, state)


def test_numbers_and_structures_are_read_as_json_has_them(
    party: Party, make: Make, prover: Prover, clock: SetClock
) -> None:
    client = signing_client(party, prover, authorization_details_types=["payment"], resources=["https://a.example/"])
    details, claims = [{"type": "payment", "amount": 7}], {"id_token": {"email": None}}
    request = signed(prover, client, claims=claims, authorization_details=details, max_age=3600,
                     resource=["https://a.example/"])  # fmt: skip
    tokens = party.redeem(client, answer_of(come(party, make, client, request=request))["code"]).get_json()
    assert tokens["authorization_details"] == details
    assert claims_in(tokens["id_token"])["email"] == "aida@kstu.kg"
    assert claims_in(tokens["access_token"])["aud"] == "https://a.example/"
    browser = party.browser(make.account("kanat"))
    clock.advance(seconds=2)
    asked = {"client_id": client.client_id, "request": signed(prover, client, max_age=1)}
    answer = browser.get("/oauth/authorize", base_url=party.base, query_string=asked)
    assert "/sign-in?" in answer.headers["Location"]


def test_each_algorithm_is_taken_and_a_client_may_narrow_itself_to_one(party: Party, make: Make) -> None:
    keys, someone = new_keys(), make.account()
    provers = [Prover(party, key, algorithm) for algorithm, key in keys.items()]
    both = jwks(*{key.thumbprint(): key for key in keys.values()}.values())
    for registered in (None, "ES256"):
        client = party.client(jwks=both, **({"request_object_signing_alg": registered} if registered else {}))
        for prover in provers:
            asked = {"client_id": client.client_id, "request": signed(prover, client), "redirect_uri": CALLBACK}
            answer = answer_of(party.browser(someone).get("/oauth/authorize", base_url=party.base, query_string=asked))
            assert ("code" in answer) == (registered in (None, prover.algorithm)), prover.algorithm


@pytest.mark.parametrize("typ", [TYPE, f"application/{TYPE}", "JWT", None])
def test_each_type_that_the_standards_know_will_do(party: Party, make: Make, prover: Prover, typ: str | None) -> None:
    client = signing_client(party, prover)
    request = signed(prover, client, header={"typ": typ})
    assert "code" in answer_of(party.authorize(party.browser(make.account()), client, request=request))


def test_an_object_runs_out_with_the_clock(party: Party, make: Make, prover: Prover, clock: SetClock) -> None:
    client, browser = signing_client(party, prover), party.browser(make.account())
    request = signed(prover, client, exp=prover.now + 300)
    clock.advance(seconds=309)
    assert "code" in answer_of(party.authorize(browser, client, request=request))
    clock.advance(seconds=2)
    assert answer_of(party.authorize(browser, client, request=request))["error"] == "invalid_request_object"


# --- hostile


def hostile(prover: Prover, client: Registered, other: Registered) -> dict[str, str]:
    """Objects that must not be accepted, by what is wrong with them."""
    now, stranger = prover.now, ECKey.generate_key("P-256")
    public_key = prover.key.as_pem(private=False)  # type: ignore[union-attr]  # it is no secret
    spoiled: dict[str, dict[str, Any]] = {
        "a stranger's key": {"key": stranger},
        "a stranger's key in the header": {"key": stranger, "header": {"jwk": stranger.as_dict(private=False)}},
        "the address of a stranger's key": {"key": stranger, "header": {"jku": "https://evil.example/jwks"}},
        "an unknown kid": {"header": {"kid": "nobody"}},
        "an HMAC with the public key": {"key": public_key, "header": {"alg": "HS256"}},
        "something critical": {"header": {"crit": ["x"], "x": 1}},
        "an access token's type": {"header": {"typ": "at+jwt"}},
        "a proof's type": {"header": {"typ": "dpop+jwt"}},
        "another client": {"client_id": other.client_id},
        "another issuer": {"iss": other.client_id},
        "a foreign audience": {"aud": "https://evil.example"},
        "foreign audiences": {"aud": ["https://evil.example", 7]},
        "an audience of another kind": {"aud": {prover.party.base: 1}},
        "expired": {"exp": now - 10},
        "not yet": {"nbf": now + 11},
        "an end in words": {"exp": "soon"},
        "true as an end": {"exp": True},
        "an object in the object": {"request": "e30.e30."},
        "an address in the object": {"request_uri": "https://rp.example/r"},
    }
    made = {name: signed(prover, client, **changes) for name, changes in spoiled.items()}
    good = signed(prover, client)
    head, body, signature = good.split(".")
    return made | {
        "not signed": f"eyJhbGciOiJub25lIn0.{body}.",
        "not signed, with a signature": f"eyJhbGciOiJub25lIn0.{body}.{signature}",
        "signature cut": f"{head}.{body}.{signature[:-8]}",
        "no JWT": "x",
        "encrypted, which nobody can here": encrypt_jwt(good, prover.key, "ECDH-ES", "A128GCM"),
    }


def test_hostile_objects_get_one_answer(party: Party, make: Make, prover: Prover) -> None:
    client, other = signing_client(party, prover), signing_client(party, prover)
    browser = party.browser(make.account())
    for name, request in hostile(prover, client, other).items():
        answer = answer_of(party.authorize(browser, client, request=request))
        assert (name, answer["error"], "code" in answer) == (name, "invalid_request_object", False)
    assert "code" in answer_of(party.authorize(browser, client, request=signed(prover, client)))


def test_a_forged_object_decides_nothing_about_where_the_answer_goes(party: Party, make: Make, prover: Prover) -> None:
    second = "https://rp.example/second"
    client = signing_client(party, prover, redirect_uris=[CALLBACK, second])
    forged = signed(prover, client, key=ECKey.generate_key("P-256"), redirect_uri=second)
    answer = answer_of(come(party, make, client, request=forged, redirect_uri=CALLBACK))
    assert (answer["error"], "state" in answer) == ("invalid_request_object", False)
    foreign = signed(prover, client, redirect_uri="https://evil.example/")
    for asked in ({"request": forged}, {"request": foreign}, {"request": foreign, "redirect_uri": CALLBACK}):
        browser = party.browser()
        response = browser.get(
            "/oauth/authorize", base_url=party.base, query_string={"client_id": client.client_id} | asked
        )
        assert (response.status_code, "Location" in response.headers) == (400, False)


def test_a_client_without_keys_signs_nothing(party: Party, make: Make, prover: Prover) -> None:
    client = party.client()
    answer = answer_of(party.authorize(party.browser(make.account()), client, request=signed(prover, client)))
    assert answer["error"] == "invalid_request_object"


def test_an_object_is_no_assertion_and_an_assertion_asks_for_nothing(party: Party, make: Make, prover: Prover) -> None:
    """RFC 9101, 10.8; RFC 8725, 3.12: one kind of JWT is not another."""
    client = signing_client(
        party, prover, token_endpoint_auth_method="private_key_jwt", grant_types=["authorization_code"],
        require_signed_request_object=True,
    )  # fmt: skip
    request = signed(prover, client, header={"typ": "JWT"}, jti="1")
    assert party.revoke(None, token="x", **prover.asserts(client, request)).status_code == 401
    answer = answer_of(come(party, make, client, request=prover.assertion(client, nbf=prover.now)))
    assert (answer["error"], "code" in answer) == ("invalid_request", False)


# --- by reference


def test_an_object_is_fetched_from_where_the_client_registered_and_nowhere_else(
    party: Party, make: Make, prover: Prover, published: Publisher
) -> None:
    address = published.url("/request.jwt", b"x")
    client = signing_client(party, prover, request_uris=[address])
    published.url("/request.jwt", signed(prover, client).encode())
    browser = party.browser(make.account())
    for version in ("", "#version-2"):  # OIDC Core, 6.2
        answer = answer_of(party.authorize(browser, client, request_uri=address + version))
        assert answer["state"] == "inside"
    assert published.headers[0]["Accept"] == "application/oauth-authz-req+jwt"
    for elsewhere in (address + "?x=1", published.base + "/other", "https://evil.example/r", "file:///etc/passwd"):
        answer = answer_of(party.authorize(browser, client, request_uri=elsewhere))
        assert answer["error"] == "invalid_request_uri", elsewhere
    assert len(published.asked) == 2


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (404, "invalid_request_uri"),
        ("/elsewhere", "invalid_request_uri"),
        (b"x" * 70_000, "invalid_request_uri"),
        ("ключ".encode(), "invalid_request_uri"),
        (b"x", "invalid_request_object"),
        (b"eyJhbGciOiJub25lIn0.e30.", "invalid_request_object"),
    ],
)
def test_what_is_no_object_there_is_told(
    party: Party, make: Make, prover: Prover, published: Publisher, document: Any, error: str
) -> None:
    address = published.url("/request.jwt", document)
    client = signing_client(party, prover, request_uris=[address])
    answer = answer_of(party.authorize(party.browser(make.account()), client, request_uri=address))
    assert answer["error"] == error


def test_value_and_reference_exclude_each_other(party: Party, make: Make, prover: Prover) -> None:
    client = signing_client(party, prover, request_uris=["https://rp.example/r"])
    both = {"request": signed(prover, client), "request_uri": "https://rp.example/r"}
    browser = party.browser(make.account())
    twice = {"request": [signed(prover, client), signed(prover, client)]}
    for asked in (both, twice):
        assert answer_of(party.authorize(browser, client, **asked))["error"] == "invalid_request"


# --- clients that must sign


def test_a_client_that_must_sign_gets_nothing_unsigned(party: Party, make: Make, prover: Prover) -> None:
    client, browser = strict_client(party, prover), party.browser(make.account())
    assert answer_of(party.authorize(browser, client))["error"] == "invalid_request"
    assert "code" in answer_of(party.authorize(browser, client, request=signed(prover, client)))


@pytest.mark.parametrize(
    "changes",
    [{"aud": None}, {"iss": None}, {"exp": None}, {"nbf": None}, {"nbf": -3601}, {"exp": 3601}, {"nbf": -3600, "exp": 60}],
    ids=json.dumps,
)  # fmt: skip
def test_its_objects_say_who_for_whom_and_for_an_hour_at_most(
    party: Party, make: Make, prover: Prover, changes: dict[str, Any]
) -> None:
    client = strict_client(party, prover)
    moments: dict[str, Any] = {
        name: prover.now + value if isinstance(value, int) else value for name, value in changes.items()
    }
    answer = answer_of(
        party.authorize(party.browser(make.account()), client, request=signed(prover, client, **moments))
    )
    assert answer["error"] == "invalid_request_object"


def test_clients_find_out_what_is_taken(party: Party) -> None:
    document = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    assert document["request_parameter_supported"] is document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert "none" not in document["request_object_signing_alg_values_supported"]
    assert "request_object_encryption_alg_values_supported" not in document
