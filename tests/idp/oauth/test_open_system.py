"""Going from the account page to a system, which begins the sign-in itself (OIDC Core, 4)."""

from urllib.parse import parse_qs, urlsplit

from tests.builders import Make
from tests.idp.oauth.driver import Party

BEGIN = "https://rp.example/begin?tenant=7"


def test_the_account_page_leads_to_systems_that_said_where_they_begin(party: Party, make: Make) -> None:
    client = party.client(initiate_login_uri=BEGIN, system="unet")
    party.client(name="Says nothing")
    browser = party.browser(make.account(systems=("unet",)))
    link = f"/open/{client.client_id}"
    assert browser.get("/account", base_url=party.base).text.count("/open/") == 1
    answer = browser.get(link, base_url=party.base)
    place = urlsplit(answer.headers["Location"])
    assert (answer.status_code, place.netloc, place.path) == (303, "rp.example", "/begin")
    assert parse_qs(place.query) == {"tenant": ["7"], "iss": [party.base], "login_hint": ["aida"]}


def test_nobody_is_led_where_they_have_no_access_or_nothing_is(party: Party, make: Make) -> None:
    client = party.client(initiate_login_uri=BEGIN, system="unet")
    browser = party.browser(make.account(systems=()))
    assert "/open/" not in browser.get("/account", base_url=party.base).text
    silent = party.client()
    for client_id in (silent.client_id, "nobody"):
        assert browser.get(f"/open/{client_id}", base_url=party.base).status_code == 404
    assert party.browser().get(f"/open/{client.client_id}", base_url=party.base).status_code == 303
