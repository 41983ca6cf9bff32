"""Request objects: what a client signs counts, what only looks signed does not (RFC 9101; OIDC Core, 6; RFC 8725)."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from idp.clock import SetClock
from idp.oauth.client_keys import forget_fetched_keys
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, Party, Registered, answer_of
from tests.idp.oauth.proofs import Prover, jwks, new_keys, sign
from tests.idp.oauth.publisher import Publisher, publisher

TYPE = "oauth-authz-req+jwt"
SECRET_LENGTH = b"s" * 32


@pytest.fixture
def published() -> Iterator[Publisher]:
    forget_fetched_keys()
    with publisher() as running:
        yield running


@pytest.fixture
def prover(party: Party) -> Prover:
    return Prover(party)


def signing(party: Party, prover: Prover, **changes: Any) -> Registered:
    return party.client(**({"jwks": jwks(prover.key)} | changes))


def signed(prover: Prover, client: Registered, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A request as the client signs it; a change to None leaves a claim out."""
    claims = {
        "iss": client.client_id,
        "aud": prover.party.base,
        "nbf": prover.now,
        "exp": prover.now + 300,
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "signed-state",
        "nonce": "signed-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return sign(claims, prover.key, **({"alg": prover.algorithm, "typ": TYPE} | (header or {})))


def signed_as_it_stands(prover: Prover, claims: str) -> str:
    """For JSON that no sane library writes."""
    head = sign({}, prover.key, alg="ES256", typ=TYPE).split(".")[0]
    payload = f"{head}.{_encoded(claims.encode())}"
    return f"{payload}.{_encoded(JWSRegistry.algorithms['ES256'].sign(payload.encode(), prover.key))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bring(party: Party, make: Make, client: Registered, request: str, **beside: Any) -> dict[str, str]:
    """The answer to a request object brought with what OAuth wants beside it."""
    return answer_of(party.authorize(party.browser(make.account()), client, request=request, **beside))


def test_what_is_signed_goes_before_what_stands_beside_it(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    beside = {"scope": "openid profile", "state": "other", "nonce": "other", "redirect_uri": CALLBACK}
    answer = bring(party, make, client, signed(prover, client), **beside)
    assert answer["state"] == "signed-state"
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid email"


def test_the_object_alone_is_enough(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    alone = dict.fromkeys(("response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge",
                           "code_challenge_method"))  # fmt: skip
    assert "code" in bring(party, make, client, signed(prover, client), **alone)


def test_what_the_object_leaves_out_is_taken_from_beside_it(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    answer = bring(party, make, client, signed(prover, client, state=None), state="beside")
    assert (answer["state"], "code" in answer) == ("beside", True)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_each_algorithm_will_do(party: Party, make: Make, algorithm: str) -> None:
    prover = Prover(party, new_keys()[algorithm], algorithm)
    client = signing(party, prover)
    assert "code" in bring(party, make, client, signed(prover, client))


@pytest.mark.parametrize("typ", [TYPE, f"application/{TYPE}", "JWT", None])
def test_each_type_that_the_standards_know_will_do(party: Party, make: Make, prover: Prover, typ: str | None) -> None:
    client = signing(party, prover)
    assert "code" in bring(party, make, client, signed(prover, client, {"typ": typ}))


def test_structures_and_numbers_in_it_are_read(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    claims = {"userinfo": {"email": {"essential": True}}}
    answer = bring(party, make, client, signed(prover, client, max_age=300, claims=claims, scope="openid"))
    access = party.redeem(client, answer["code"]).get_json()["access_token"]
    assert set(party.userinfo(access).get_json()) == {"sub", "email"}


HOSTILE: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "somebody"},
    "an issuer that is no text": {"iss": 7},
    "another audience": {"aud": "https://evil.example"},
    "an audience among others": {"aud": ["https://evil.example"]},
    "an audience of true": {"aud": True},
    "no audience at all, said so": {"aud": []},
    "run out": {"exp": 1},
    "not yet": {"nbf": 4_000_000_000},
    "an end that is a text": {"exp": "4000000000"},
    "an end that is true": {"exp": True},
    "another client": {"client_id": "somebody"},
    "a client that is a number": {"client_id": 7},
    "an object in the object": {"request": "e30.e30.e30"},
    "an address in the object": {"request_uri": "https://rp.example/r"},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_object_that_was_not_meant_for_this_is_refused(
    party: Party, make: Make, prover: Prover, changes: dict[str, Any]
) -> None:
    client = signing(party, prover)
    answer = bring(party, make, client, signed(prover, client, **changes))
    assert (answer["error"], answer["state"], "code" in answer) == ("invalid_request_object", "s-1", False)


def test_only_the_clients_own_signature_counts(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    good = signed(prover, client)
    head, payload, signature = good.split(".")
    public = json.dumps(prover.key.as_dict(private=False)).encode()
    stranger = Prover(party, ECKey.generate_key("P-256"))
    theirs = {"jwk": stranger.key.as_dict(private=False)}
    none = sign({}, SECRET_LENGTH, alg="none").split(".")[0]
    forged = {
        "no algorithm": f"{none}.{payload}.",
        "no algorithm, a signature": f"{none}.{payload}.{signature}",
        "no signature": f"{head}.{payload}.",
        "a changed payload": f"{head}.{payload[:-6]}AAAAAA.{signature}",
        "another's key": signed(stranger, client),
        "another's key in the header": signed(stranger, client, theirs),
        "another's key by address": signed(stranger, client, {"jku": "https://evil.example/keys"}),
        "the public key as a secret": sign({"iss": client.client_id}, public, alg="HS256", typ=TYPE),
        "a kind of token of ours": signed(prover, client, {"typ": "at+jwt"}),
        "a proof": signed(prover, client, {"typ": "dpop+jwt"}),
        "something critical": signed(prover, client, {"crit": ["x"], "x": 1}),
        "a list": f"{head}.WzFd.{signature}",
        "five parts": f"{good}.e30.e30",
        "nothing": "..",
    }
    browser = party.browser(make.account())
    answers = {name: answer_of(party.authorize(browser, client, request=token)) for name, token in forged.items()}
    assert {name: answer.get("error") for name, answer in answers.items()} == dict.fromkeys(
        forged, "invalid_request_object"
    )


def test_a_client_without_keys_signs_nothing(party: Party, make: Make, prover: Prover) -> None:
    client = party.client()
    assert bring(party, make, client, signed(prover, client))["error"] == "invalid_request_object"


def test_the_registered_algorithm_is_the_only_one(party: Party, make: Make) -> None:
    keys = new_keys()
    client = party.client(jwks=jwks(keys["RS256"], keys["ES256"]), request_object_signing_alg="PS256")
    for algorithm, is_taken in (("RS256", False), ("ES256", False), ("PS256", True)):
        prover = Prover(party, keys[algorithm], algorithm)
        answer = answer_of(party.authorize(party.browser(), client, request=signed(prover, client), prompt="none"))
        assert (answer["error"] == "login_required") is is_taken, algorithm


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": 7}, "invalid_scope"),
        ({"scope": ["openid", "email"]}, "invalid_scope"),
        ({"scope": {"openid": True}}, "invalid_scope"),
        ({"response_type": 7}, "unsupported_response_type"),
        ({"max_age": 1.5}, "invalid_request"),
        ({"max_age": -1}, "invalid_request"),
        ({"max_age": 10**40}, "invalid_request"),
        ({"state": "x\ny"}, "invalid_request"),
        ({"nonce": ["a"]}, "invalid_request"),
        ({"claims": "no JSON"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
def test_odd_values_are_mistakes_and_no_failures(
    party: Party, make: Make, prover: Prover, changes: dict[str, Any], error: str
) -> None:
    client = signing(party, prover)
    if "nonce" in changes:  # a list is no nonce, but a text like any other once it is written down
        assert "code" in bring(party, make, client, signed(prover, client, **changes))
    else:
        assert bring(party, make, client, signed(prover, client, **changes))["error"] == error


@pytest.mark.parametrize("name", ["claims", "authorization_details", "resource", "x"])
def test_endless_depth_is_a_mistake_and_no_failure(party: Party, make: Make, prover: Prover, name: str) -> None:
    client, browser = signing(party, prover), party.browser(make.account())
    for levels in range(840, 1_000, 8):
        request = signed_as_it_stands(prover, f'{{"{name}":{"[" * levels}{"]" * levels}}}')
        assert party.authorize(browser, client, request=request).status_code == 303, levels


def test_an_unregistered_redirect_uri_stays_on_a_page_even_if_it_is_signed(
    party: Party, make: Make, prover: Prover
) -> None:
    client = signing(party, prover)
    request = signed(prover, client, redirect_uri="https://evil.example/")
    response = party.authorize(party.browser(make.account()), client, request=request)
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_an_object_comes_once_and_not_with_an_address(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    good, browser = signed(prover, client), party.browser(make.account())
    for changes in ({"request": [good, good]}, {"request": good, "request_uri": "https://rp.example/r"}):
        assert answer_of(party.authorize(browser, client, **changes))["error"] == "invalid_request"


# --- clients that must sign


def test_who_must_sign_is_not_answered_for_less(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover, require_signed_request_object=True)
    browser = party.browser(make.account())
    assert answer_of(party.authorize(browser, client))["error"] == "invalid_request"
    assert "code" in answer_of(party.authorize(browser, client, request=signed(prover, client)))


def test_of_who_must_sign_nothing_beside_the_object_counts(party: Party, make: Make, prover: Prover) -> None:
    client, browser = signing(party, prover, require_signed_request_object=True), party.browser(make.account())
    request = signed(prover, client, state=None, scope="openid")
    answer = answer_of(party.authorize(browser, client, request=request, state="beside"))
    assert "state" not in answer
    assert party.redeem(client, answer["code"]).get_json()["scope"] == "openid"
    request = signed(prover, client, code_challenge=None, code_challenge_method=None)
    assert answer_of(party.authorize(browser, client, request=request))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [{"iss": None}, {"aud": None}, {"exp": None}, {"nbf": None}, {"exp": 10**400, "nbf": 1.5}, {"exp": 10**400},
     {"exp": 10**400, "nbf": None}, {"nbf": 1_000}],
    ids=["no issuer", "no audience", "no end", "no beginning", "endless", "nearly endless", "eternal", "an old one"],
)  # fmt: skip
def test_who_must_sign_must_say_for_whom_and_how_long(
    party: Party, make: Make, prover: Prover, changes: dict[str, Any]
) -> None:
    client = signing(party, prover, require_signed_request_object=True)
    assert bring(party, make, client, signed(prover, client, **changes))["error"] == "invalid_request_object"


def test_others_may_leave_that_out(party: Party, make: Make, prover: Prover) -> None:
    client = signing(party, prover)
    bare = dict.fromkeys(("iss", "aud", "exp", "nbf", "client_id"))
    assert "code" in bring(party, make, client, signed(prover, client, **bare))


def test_an_object_runs_out_with_the_clock(party: Party, make: Make, prover: Prover, clock: SetClock) -> None:
    client, browser = signing(party, prover), party.browser(make.account())
    request = signed(prover, client)
    clock.advance(seconds=309)
    assert "code" in answer_of(party.authorize(browser, client, request=request))
    clock.advance(seconds=2)
    assert answer_of(party.authorize(browser, client, request=request))["error"] == "invalid_request_object"


# --- by reference


def test_an_object_is_fetched_from_where_the_client_registered_it(
    party: Party, make: Make, prover: Prover, published: Publisher
) -> None:
    address = f"{published.base}/request"
    client = signing(party, prover, request_uris=[f"{address}#v1"])
    published.url("/request", signed(prover, client).encode())
    browser = party.browser(make.account())
    for uri in (address, f"{address}#v2"):
        assert answer_of(party.authorize(browser, client, request_uri=uri))["state"] == "signed-state"
    assert published.asked == ["/request", "/request"]
    assert "oauth-authz-req+jwt" in published.headers[0]["Accept"]


def test_no_other_address_is_asked(party: Party, make: Make, prover: Prover, published: Publisher) -> None:
    client = signing(party, prover, request_uris=[f"{published.base}/request"])
    browser = party.browser(make.account())
    others = (f"{published.base}/request?x=1", f"{published.base}/", "http://169.254.169.254/", "file:///etc/passwd",
              published.base.upper() + "/request", "x")  # fmt: skip
    for uri in others:
        assert answer_of(party.authorize(browser, client, request_uri=uri))["error"] == "invalid_request_uri", uri
    assert published.asked == []


@pytest.mark.parametrize("document", [404, 500, "/elsewhere", b"\xff\xfe", b"a" * 70_000, b""])
def test_what_is_no_object_there_is_refused(
    party: Party, make: Make, prover: Prover, published: Publisher, document: Any
) -> None:
    client = signing(party, prover, request_uris=[published.url("/request", document)])
    answer = answer_of(party.authorize(party.browser(make.account()), client, request_uri=f"{published.base}/request"))
    assert answer["error"] in ("invalid_request_uri", "invalid_request_object")
    assert "/elsewhere" not in published.asked


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
