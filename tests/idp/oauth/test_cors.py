"""What scripts of other sites may read: by the rules of browsers, asked as browsers ask."""

import pytest
from werkzeug.test import TestResponse

from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, VERIFIER, Party, Registered

SITE = "https://app.example"
CALLED = ["/oauth/token", "/oauth/userinfo", "/oauth/revoke"]
SHOWN = ["/oauth/authorize", "/oauth/logout", "/sign-in", "/account"]


def preflight(party: Party, path: str, method: str = "POST") -> TestResponse:
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,dpop",
    }
    return party.browser().options(path, base_url=party.base, headers=asked)


def posted(party: Party, path: str, client: Registered, **form: str) -> TestResponse:
    data = {"client_id": client.client_id} | form
    return party.browser().post(path, base_url=party.base, data=data, headers={"Origin": SITE})


def words(response: TestResponse, header: str) -> set[str]:
    return {word.strip().lower() for word in response.headers.get(header, "").split(",")}


@pytest.mark.parametrize("path", CALLED)
def test_a_preflight_lets_a_script_send_what_clients_send(party: Party, path: str) -> None:
    answer = preflight(party, path)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert words(answer, "Access-Control-Allow-Headers") >= {"authorization", "content-type", "dpop"}
    assert words(answer, "Access-Control-Allow-Methods") >= {"post"}


@pytest.mark.parametrize("path", CALLED)
def test_a_script_reads_a_refusal_and_why(party: Party, path: str) -> None:
    answer = party.browser().post(path, base_url=party.base, headers={"Origin": SITE})
    assert answer.status_code in (400, 401)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert words(answer, "Access-Control-Expose-Headers") == {"www-authenticate", "dpop-nonce"}


def test_a_script_reads_tokens_and_claims(party: Party, make: Make) -> None:
    client = party.client(public=True)
    code = {"grant_type": "authorization_code", "code": party.code(make.account(), client), "code_verifier": VERIFIER}
    redeemed = posted(party, "/oauth/token", client, **code, redirect_uri=CALLBACK)
    told = party.browser().get("/oauth/userinfo", base_url=party.base, headers={
        "Origin": SITE, "Authorization": f"Bearer {redeemed.get_json()['access_token']}"})  # fmt: skip
    revoked = posted(party, "/oauth/revoke", client, token=redeemed.get_json()["refresh_token"])
    for answer in (redeemed, told, revoked):
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_a_program_is_told_nothing_of_scripts(party: Party) -> None:
    answer = party.browser().post("/oauth/token", base_url=party.base)
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", CALLED + SHOWN)
def test_no_answer_is_shared_that_came_of_a_cookie(party: Party, make: Make, path: str) -> None:
    browser = party.browser(make.account())
    answers = [preflight(party, path), browser.get(path, base_url=party.base, headers={"Origin": SITE})]
    assert not any("Access-Control-Allow-Credentials" in answer.headers for answer in answers)
    if path in SHOWN:
        assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)
