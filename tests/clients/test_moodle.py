"""Moodle's own OAuth 2 client (`auth_oauth2`, issuer «custom»), spoken as it was recorded at a real Moodle 5.0.

It sends no PKCE and no nonce, reads neither ID token nor status of userinfo, and believes the claims as they come.
Signing out at Moodle asks nothing of the provider, and it keeps no refresh token for a sign-in.
"""

import base64
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx2
import pytest

from tests.clients.browser import Browser
from tests.idp.oauth.driver import Party, Registered

HOME = "https://moodle.example"
CALLBACK = f"{HOME}/admin/oauth2callback.php"
DEEP_LINK = quote(f"{HOME}/mod/quiz/view.php?id=4711&forceview=1&lang=ky" + "&topic=" + "тема-" * 80, safe="")
STATE = f"/auth/oauth2/login.php?wantsurl={DEEP_LINK}&sesskey=iuDlIM5DvH&id=1"


class Moodle:
    """One issuer as Moodle keeps it; `basic` is its setting of that name."""

    def __init__(self, issuer: Party, client: Registered, basic: bool) -> None:
        assert client.secret is not None
        self.client_id, self.secret, self.basic = client.client_id, client.secret, basic
        found = httpx2.get(f"{issuer.base}/.well-known/openid-configuration").json()
        self.endpoints = {name: value for name, value in found.items() if name.endswith("_endpoint")}

    def sign_in_url(self) -> str:
        """Where the button on Moodle's page leads; blanks are %20 and nothing is left bare."""
        asked = {
            "client_id": self.client_id, "response_type": "code", "redirect_uri": CALLBACK, "state": STATE,
            "scope": "openid profile email",
        }  # fmt: skip
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
        return f"{self.endpoints['authorization_endpoint']}?{query}"

    def redeem(self, answer: str) -> dict[str, Any]:
        """The callback page hands the code on to the page that `state` names; there it becomes a token."""
        told = parse_qs(urlsplit(answer).query, strict_parsing=True)
        assert told["state"] == [STATE]
        form = {"code": told["code"][0], "grant_type": "authorization_code", "redirect_uri": CALLBACK}
        headers = {"Accept": "application/json", "User-Agent": "MoodleBot/5.0"}
        if self.basic:  # percent-encoded first (RFC 6749, 2.3.1)
            pair = f"{quote(self.client_id, safe='')}:{encoded(self.secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": self.client_id, "client_secret": self.secret}
        response = httpx2.post(self.endpoints["token_endpoint"], data=form, headers=headers)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def who(self, tokens: dict[str, Any]) -> httpx2.Response:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {tokens['access_token']}"}
        return httpx2.get(self.endpoints["userinfo_endpoint"], headers=headers)


def encoded(secret: str) -> str:
    """Every character that can be, since what a library leaves bare differs; a secret has `-` and `_`."""
    return "".join(letter if letter.isalnum() else f"%{ord(letter):02X}" for letter in secret)


def moodle(issuer: Party, basic: bool = False) -> Moodle:
    """Registered as a client of the system, exempted from PKCE and nonce."""
    method = "client_secret_basic" if basic else "client_secret_post"
    return Moodle(issuer, issuer.client(
        name="Moodle", system="moodle", redirect_uris=[CALLBACK], grant_types=["authorization_code"],
        require_pkce=False, require_nonce=False, token_endpoint_auth_method=method,
    ), basic)  # fmt: skip


@pytest.mark.parametrize("basic", [False, True], ids=["post", "basic"])
def test_moodle_learns_who_somebody_is(issuer: Party, browser: Browser, basic: bool) -> None:
    party = moodle(issuer, basic)
    someone = issuer.make.account(systems=("moodle",))
    answer = browser.travel(party.sign_in_url(), CALLBACK, someone)
    told = party.who(party.redeem(answer))
    assert told.headers["Content-Type"].partition(";")[0] == "application/json"
    claims = told.json()
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (someone.sub, "aida@kstu.kg", True)
    assert (claims["given_name"], claims["family_name"], claims["locale"]) == ("Aida", "Үлгүбаева", "ky")
    assert "address" not in claims, "Moodle dies of an object there"


def test_the_long_state_comes_back_encoded_once(issuer: Party, browser: Browser) -> None:
    url = moodle(issuer).sign_in_url()
    answer = browser.travel(url, CALLBACK, issuer.make.account(systems=("moodle",)))
    raw = next(pair for pair in urlsplit(answer).query.split("&") if pair.startswith("state="))
    assert unquote(raw.removeprefix("state=")) == STATE


def test_who_has_no_access_to_moodle_gets_no_code(issuer: Party, browser: Browser) -> None:
    """A suspended account that never signed in before would get in at Moodle itself: it must end here."""
    party = moodle(issuer)
    page = browser.sign_in(browser.open(party.sign_in_url()), issuer.make.account(systems=("unet",)))
    assert str(page.url).startswith(issuer.base)
    assert "code=" not in str(page.url)


def test_a_refused_userinfo_carries_no_claim(issuer: Party) -> None:
    """Moodle does not look at the status."""
    refused = moodle(issuer).who({"access_token": "not-a-token"}).json()
    assert set(refused) == {"error", "error_description"}
