"""Going from the account page to a system, which begins the sign-in itself (OIDC Core, 4)."""

from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import select, update

from idp.clock import SetClock
from idp.db import db
from idp.models import Client, Consent
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
    for client_id in (client.client_id, silent.client_id, "nobody"):
        assert browser.get(f"/open/{client_id}", base_url=party.base).status_code == 404
    assert party.browser().get(f"/open/{client.client_id}", base_url=party.base).status_code == 303


def test_a_stranger_is_gone_to_only_by_who_let_it_in_and_as_long_as_that_holds(
    party: Party, make: Make, clock: SetClock
) -> None:
    """A client that registered itself says where it begins, and that address is told the person's login."""
    client, someone = party.client(initiate_login_uri=BEGIN, first_party=False), make.account()
    browser = party.browser(someone)
    assert not offered(party, browser, client.client_id)
    with party.app.app_context():
        row = db.session.scalars(select(Client).where(Client.client_id == client.client_id)).one()
        db.session.add(
            Consent(account_id=someone.id, client_id=row.id, scopes=["openid"], claims=[], resources=[],
                    authorization_details=[], given_at=clock.now())
        )  # fmt: skip
        db.session.commit()
        db.session.remove()
    assert offered(party, browser, client.client_id)
    assert not offered(party, party.browser(make.account("bakyt")), client.client_id)
    with party.app.app_context():
        db.session.execute(update(Consent).values(withdrawn_at=clock.now()))
        db.session.commit()
        db.session.remove()
    assert not offered(party, browser, client.client_id)


def offered(party: Party, browser: FlaskClient, client_id: str) -> bool:
    """Whether the account page leads there; checks that the link itself says the same."""
    shown = f"/open/{client_id}" in browser.get("/account", base_url=party.base).text
    status = browser.get(f"/open/{client_id}", base_url=party.base).status_code
    assert status == (303 if shown else 404)
    return shown
