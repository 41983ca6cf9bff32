"""ID tokens that come through the browser: `id_token` and `code id_token`, in a fragment or in a form (OIDC Core, 3.2
and 3.3; Multiple Response Types; Form Post Response Mode)."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.db import db
from idp.jose import half_hash
from idp.models import Grant
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered, answer_of, claims_in
from tests.idp.oauth.proofs import jwks
from tests.idp.oauth.reading import decrypted, encryption_keys, read_signed
from tests.idp.oauth.test_userinfo import changed

BOTH = "code id_token"
# by another hand than the provider's: OIDC Core, 3.3.2.11, with the hash of the algorithm, halved
HASHES = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "EdDSA": "sha512"}


def hybrid(party: Party, **changes: Any) -> Registered:
    return party.client(response_types=["code", "id_token", BOTH], **changes)


def ask(party: Party, make: Make, client: Registered, response_type: str = BOTH, **changes: Any) -> TestResponse:
    return party.authorize(party.browser(make.account()), client, response_type=response_type, **changes)


def halved(value: str, algorithm: str) -> str:
    digest = hashlib.new(HASHES[algorithm], value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", HASHES)
def test_code_and_id_token_belong_together_whatever_it_is_signed_with(party: Party, make: Make, algorithm: str) -> None:
    client = hybrid(party, id_token_signed_response_alg=algorithm)
    answer = answer_of(ask(party, make, client))
    front = read_signed(party, answer["id_token"], algorithm)
    assert front["c_hash"] == halved(answer["code"], algorithm)
    assert (front["nonce"], front["aud"], front["iss"]) == ("n-1", client.client_id, party.base)
    assert "at_hash" not in front
    tokens = party.redeem(client, answer["code"]).get_json()
    back = read_signed(party, tokens["id_token"], algorithm)
    assert back["at_hash"] == halved(tokens["access_token"], algorithm)
    assert [front[name] for name in ("iss", "sub", "auth_time", "sid")] == [
        back[name] for name in ("iss", "sub", "auth_time", "sid")
    ]


def test_the_answer_comes_in_the_fragment_and_the_query_stays_as_it_was(party: Party, make: Make) -> None:
    address = urlsplit(ask(party, make, hybrid(party)).headers["Location"])
    assert address.query == "tenant=7"
    names = {part.split("=")[0] for part in address.fragment.split("&")}
    assert {"code", "id_token", "state", "iss"} <= names
    assert "access_token" not in names


def test_the_words_of_a_response_type_have_no_order(party: Party, make: Make) -> None:
    assert {"code", "id_token"} <= answer_of(ask(party, make, hybrid(party), "id_token code")).keys()


def test_alone_the_id_token_carries_what_the_scopes_open(party: Party, make: Make) -> None:
    answer = answer_of(ask(party, make, hybrid(party), "id_token", scope="openid email affiliation"))
    claims = read_signed(party, answer["id_token"], "RS256")
    assert (claims["email"], claims["department"]) == ("aida@kstu.kg", ["0407"])
    assert not {"code", "access_token"} & answer.keys()
    assert not {"c_hash", "at_hash", "name"} & claims.keys()


def test_with_a_code_the_claims_wait_at_the_userinfo_endpoint(party: Party, make: Make) -> None:
    claims = claims_in(answer_of(ask(party, make, hybrid(party)))["id_token"])
    assert not {"email", "name"} & claims.keys()


def test_an_id_token_in_the_browser_is_encrypted_where_the_client_registered_that(party: Party, make: Make) -> None:
    key = ECKey.generate_key("P-256", {"use": "enc", "kid": "ec"})
    client = hybrid(party, jwks=jwks(key), id_token_encrypted_response_alg="ECDH-ES")
    answer = answer_of(ask(party, make, client))
    claims = read_signed(party, decrypted(answer["id_token"], key), "RS256")
    assert claims["c_hash"] == half_hash(answer["code"], "RS256")


@pytest.mark.parametrize("response_type", [BOTH, "id_token"])
def test_where_the_key_is_gone_the_client_is_told_and_nothing_is_granted(
    party: Party, make: Make, response_type: str
) -> None:
    key, other = encryption_keys()["ECDH-ES"], encryption_keys()["RSA-OAEP"]
    client = hybrid(party, jwks=jwks(key), id_token_encrypted_response_alg="ECDH-ES")
    changed(party, client, jwks=jwks(other))
    answer = answer_of(ask(party, make, client, response_type))
    assert (answer["error"], answer["state"]) == ("invalid_request", "s-1")
    assert "encryption key" in answer["error_description"]
    browser, someone = party.browser(), make.account("bakyt")
    waiting = party.authorize(browser, client, response_type=response_type).headers["Location"]
    party.sign_in(browser, someone)
    onward = waiting.replace("/sign-in", "/continue")
    assert answer_of(browser.get(onward, base_url=party.base))["error"] == "invalid_request", "after the pages too"
    assert browser.get(waiting, base_url=party.base).status_code == 400
    with party.app.app_context():
        assert db.session.scalars(select(Grant)).all() == []


MISTAKES = {
    "no nonce": ({"nonce": None}, "invalid_request"),
    "no scope openid": ({"scope": "profile"}, "invalid_scope"),
    "in the query": ({"response_mode": "query"}, "invalid_request"),
    "signed, in the query": ({"response_mode": "query.jwt"}, "invalid_request"),
    "with an access token": ({"response_type": "code id_token token"}, "unsupported_response_type"),
    "an access token": ({"response_type": "id_token token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "error"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_where_no_log_keeps_it(party: Party, make: Make, changes: dict[str, Any], error: str) -> None:
    response = ask(party, make, hybrid(party), **({"response_type": BOTH} | changes))
    answer = answer_of(response)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s-1", party.base)
    assert "error" in urlsplit(response.headers["Location"]).fragment
    assert not {"code", "id_token"} & answer.keys()


def test_a_client_that_did_not_register_it_gets_none(party: Party, make: Make) -> None:
    answer = answer_of(ask(party, make, party.client(), "id_token"))
    assert (answer["error"], "id_token" in answer) == ("unauthorized_client", False)


# --- form_post


def posted(response: TestResponse) -> dict[str, str]:
    """What the page would post to the client; checks where to."""
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert f'action="{CALLBACK}"' in response.text
    form = response.text.split('id="answer"')[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))


@pytest.mark.parametrize("response_type", ["code", "id_token", BOTH])
def test_in_a_form_the_client_gets_the_same(party: Party, make: Make, response_type: str) -> None:
    client = hybrid(party)
    response = ask(party, make, client, response_type, response_mode="form_post")
    values = posted(response)
    assert set(response_type.split()) <= values.keys()
    assert (values["state"], values["iss"]) == ("s-1", party.base)
    assert "Location" not in response.headers
    if "code" in values:
        assert party.redeem(client, values["code"]).status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://rp.example" in policy or "form-action https://rp.example" in policy
    assert response.headers["Cache-Control"] == "no-store"


def test_a_refusal_goes_into_the_form_as_well_and_is_escaped(party: Party) -> None:
    state = '"><script>alert(1)</script>'
    response = party.authorize(party.browser(), hybrid(party), prompt="none", response_mode="form_post", state=state)
    assert "<script>alert" not in response.text
    values = posted(response)
    assert values["error"] == "login_required"
    assert values["state"] == "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
