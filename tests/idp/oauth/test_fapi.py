"""Clients under the FAPI 2.0 profiles: their whole way, and the doors that are shut on them."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from idp.clock import SetClock
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, CHALLENGE, VERIFIER, Party, Registered, answer_of, claims_in, header_of
from tests.idp.oauth.proofs import Prover, jwks
from tests.idp.oauth.reading import read_signed
from tests.idp.oauth.test_request_object import signed

REQUEST = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid email",
    "state": "s-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@dataclass(frozen=True)
class Strict:
    """A client under a profile, with its key."""

    party: Party
    prover: Prover
    client: Registered

    def push(self, **changes: Any) -> TestResponse:
        form = {name: value for name, value in (REQUEST | changes).items() if value is not None}
        return self.party._post("/oauth/par", None, {}, self.prover.asserts(self.client) | form)

    def come(self, browser: FlaskClient, pushed: TestResponse) -> TestResponse:
        assert pushed.status_code == 201, pushed.text
        asked = {"client_id": self.client.client_id, "request_uri": pushed.get_json()["request_uri"]}
        return browser.get("/oauth/authorize", base_url=self.party.base, query_string=asked)

    def token(self, prover: Prover | None = None, nonce: str | None = None, **form: Any) -> TestResponse:
        """With a proof that has the server's nonce; `prover` is whose key it is, the client's own by default."""
        nonce = nonce or self._post({"grant_type": "x"}, self.prover.proof()).headers["DPoP-Nonce"]
        return self._post(form, (prover or self.prover).proof(nonce=nonce))

    def redeem(self, code: str, **changes: Any) -> TestResponse:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(**{name: value for name, value in (form | changes).items() if value is not None})

    def tokens(self, browser: FlaskClient, **changes: Any) -> dict[str, Any]:
        answer = self.redeem(answer_of(self.come(browser, self.push(**changes)))["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def _post(self, form: dict[str, Any], proof: str) -> TestResponse:
        form = self.prover.asserts(self.client) | form
        return self.party._post("/oauth/token", None, {"DPoP": proof}, form)


def strict(party: Party, profile: str, **changes: Any) -> Strict:
    prover = Prover(party)
    client = party.client(
        security_profile=profile, token_endpoint_auth_method="private_key_jwt", jwks=jwks(prover.key),
        dpop_bound_access_tokens=True, **changes,
    )  # fmt: skip
    return Strict(party, prover, client)


@pytest.fixture
def plain(party: Party) -> Strict:
    return strict(party, "fapi2-security")


@pytest.fixture
def signing(party: Party) -> Strict:
    return strict(party, "fapi2-message-signing")


# --- security profile


def test_pushed_and_bound_the_client_gets_what_it_came_for(party: Party, make: Make, plain: Strict) -> None:
    someone = make.account()
    answer = answer_of(plain.come(party.browser(someone), plain.push()))
    assert (answer["state"], answer["iss"]) == ("s-1", party.base)
    tokens = plain.redeem(answer["code"]).get_json()
    assert tokens["token_type"] == "DPoP"
    access = tokens["access_token"]
    assert claims_in(access)["cnf"] == {"jkt": plain.prover.jkt}
    assert header_of(access)["alg"] == header_of(tokens["id_token"])["alg"] == "ES256"
    refused = plain.prover.userinfo(access, plain.prover.proof_for(access))
    assert (refused.status_code, refused.get_json()["error"]) == (401, "use_dpop_nonce")
    nonce = refused.headers["DPoP-Nonce"]
    told = plain.prover.userinfo(access, plain.prover.proof_for(access, nonce=nonce))
    assert told.get_json() == {"sub": someone.sub, "email": "aida@kstu.kg", "email_verified": True}
    assert party.userinfo(access).status_code == 401, "nobody uses it as a bearer token"


def test_only_what_was_pushed_is_answered(party: Party, make: Make, plain: Strict) -> None:
    answer = answer_of(party.authorize(party.browser(make.account()), plain.client))
    assert (answer["error"], "code" in answer) == ("invalid_request", False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "code id_token", "nonce": "n"}, "unauthorized_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "&x=1"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ],
)
def test_what_the_profile_forbids_is_not_taken(plain: Strict, changes: dict[str, Any], error: str) -> None:
    answer = plain.push(**changes)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_neither_state_nor_nonce_is_needed(party: Party, make: Make, plain: Strict) -> None:
    answer = answer_of(plain.come(party.browser(make.account()), plain.push(state=None)))
    assert answer.keys() == {"tenant", "code", "iss"}
    assert "nonce" not in claims_in(plain.redeem(answer["code"]).get_json()["id_token"])


def test_a_code_is_worth_nothing_without_verifier_key_and_client(party: Party, make: Make, plain: Strict) -> None:
    someone = make.account()
    other = strict(party, "fapi2-security")

    def code() -> str:
        return answer_of(plain.come(party.browser(someone), plain.push()))["code"]

    assert plain.redeem(code(), code_verifier="x" * 43).get_json()["error"] == "invalid_grant"
    assert plain.redeem(code(), code_verifier=None).status_code == 400
    assert other.redeem(code()).get_json()["error"] == "invalid_grant"
    form: dict[str, Any] = {
        "grant_type": "authorization_code",
        "code": code(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    bare = party.token(None, **plain.prover.asserts(plain.client), **form)
    assert (bare.status_code, bare.get_json()["error"]) == (400, "invalid_request")
    assert party.token(plain.client, **form).status_code == 401, "no client without its assertion"
    bound = answer_of(plain.come(party.browser(someone), plain.push(dpop_jkt=plain.prover.jkt)))["code"]
    form |= {"code": bound}
    assert plain.token(Prover(party), **form).get_json()["error"] == "invalid_grant"


def test_a_code_lives_a_minute_and_is_used_once(party: Party, make: Make, plain: Strict, clock: SetClock) -> None:
    browser = party.browser(make.account())
    late = answer_of(plain.come(browser, plain.push()))["code"]
    clock.advance(seconds=60)
    assert plain.redeem(late).get_json()["error"] == "invalid_grant"
    code = answer_of(plain.come(browser, plain.push()))["code"]
    access = plain.redeem(code).get_json()["access_token"]
    assert plain.redeem(code).get_json()["error"] == "invalid_grant"
    nonce = plain.prover.userinfo(access, plain.prover.proof_for(access, nonce="x")).headers["DPoP-Nonce"]
    assert plain.prover.userinfo(access, plain.prover.proof_for(access, nonce=nonce)).status_code == 401


def test_the_refresh_token_stays_and_is_the_clients_alone(
    party: Party, make: Make, plain: Strict, clock: SetClock
) -> None:
    """FAPI 2.0 Security Profile, 5.3.2.1: no rotation, since a lost answer must lock nobody out."""
    other = strict(party, "fapi2-security")
    first = plain.tokens(party.browser(make.account()))
    again: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert other.token(**again).get_json()["error"] == "invalid_grant"
    for _ in range(3):
        clock.advance(hours=20)
        answer = plain.token(**again).get_json()
        assert answer["refresh_token"] == first["refresh_token"]
        assert claims_in(answer["access_token"])["jti"] != claims_in(first["access_token"])["jti"]
        assert claims_in(answer["access_token"])["iat"] == plain.prover.now
    bare = party.token(None, **plain.prover.asserts(plain.client), **again)
    assert (bare.status_code, bare.get_json()["error"]) == (400, "invalid_request")
    clock.advance(hours=24)
    assert plain.token(**again).get_json()["error"] == "invalid_grant"


# --- message signing


def test_requests_are_signed_and_so_are_answers(party: Party, make: Make, signing: Strict) -> None:
    request = signed(signing.prover, signing.client, response_mode="jwt", nonce=None)
    pushed = signing.push(request=request, **dict.fromkeys(REQUEST))
    answer = answer_of(signing.come(party.browser(make.account()), pushed))
    assert answer.keys() == {"tenant", "response"}
    told = read_signed(party, answer["response"], "ES256")
    assert (told["iss"], told["aud"], told["state"]) == (party.base, signing.client.client_id, "inside")
    tokens = signing.redeem(told["code"]).get_json()
    assert tokens["scope"] == "openid email"
    headers = {"Accept": "application/token-introspection+jwt"}
    form = signing.prover.asserts(signing.client, token=tokens["access_token"])
    described = party._post("/oauth/introspect", None, headers, form).text
    assert read_signed(party, described, "ES256")["token_introspection"]["active"] is True


def test_refusals_are_signed_as_well(party: Party, signing: Strict) -> None:
    request = signed(signing.prover, signing.client, response_mode="jwt", prompt="none")
    pushed = signing.push(request=request, **dict.fromkeys(REQUEST))
    told = read_signed(party, answer_of(signing.come(party.browser(), pushed))["response"], "ES256")
    assert told["error"] == "login_required"


def test_what_stands_beside_the_object_is_not_used(party: Party, make: Make, signing: Strict) -> None:
    request = signed(signing.prover, signing.client, state=None)
    pushed = signing.push(request=request)
    assert "state" not in answer_of(signing.come(party.browser(make.account()), pushed))
    nowhere = signing.push(request=signed(signing.prover, signing.client, redirect_uri=None))
    assert nowhere.get_json()["error"] == "invalid_request"


def test_what_is_not_signed_well_enough_is_not_taken(party: Party, signing: Strict) -> None:
    now, client, prover = signing.prover.now, signing.client, signing.prover
    assert signing.push().get_json()["error"] == "invalid_request", "unsigned"
    forbidden: list[dict[str, Any]] = [
        {"exp": None}, {"nbf": None}, {"aud": "https://evil.example"}, {"exp": now - 10}, {"nbf": now + 60},
        {"exp": now + 3_700}, {"nbf": now - 3_700},
    ]  # fmt: skip
    for changes in forbidden:
        answer = signing.push(request=signed(prover, client, **changes))
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request_object"), changes
    allowed: list[dict[str, Any]] = [{"nbf": now + 8}, {"aud": [party.base, "https://other.example"]}]
    for changes in allowed:
        assert signing.push(request=signed(prover, client, **changes)).status_code == 201, changes


def test_weak_algorithms_are_for_others(party: Party) -> None:
    """FAPI 2.0 Security Profile, 5.4.1: RS256 is not among them."""
    weak = Prover(party, RSAKey.generate_key(2048), "RS256")
    client = party.client(
        security_profile="fapi2-message-signing", token_endpoint_auth_method="private_key_jwt",
        jwks=jwks(weak.key), dpop_bound_access_tokens=True,
    )  # fmt: skip
    answer = party._post("/oauth/par", None, {}, weak.asserts(client) | REQUEST)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    weak.algorithm = "PS256"
    proven = {"request": signed(weak, client, header={"alg": "RS256"})}
    answer = party._post("/oauth/par", None, {}, weak.asserts(client) | proven)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request_object")
    proven = {"request": signed(weak, client)}
    assert party._post("/oauth/par", None, {}, weak.asserts(client) | proven).status_code == 201


def test_an_assertion_may_be_sent_again_with_the_nonce_that_was_asked_for(plain: Strict) -> None:
    """RFC 9449, 8: only the proof was lacking, so nothing of the first request is spent."""
    party, prover = plain.party, plain.prover
    form = prover.asserts(plain.client) | {"grant_type": "refresh_token", "refresh_token": "nobody's"}
    asked = party._post("/oauth/token", None, {"DPoP": prover.proof()}, form)
    assert asked.get_json()["error"] == "use_dpop_nonce"
    again = party._post("/oauth/token", None, {"DPoP": prover.proof(nonce=asked.headers["DPoP-Nonce"])}, form)
    assert again.get_json()["error"] == "invalid_grant"
