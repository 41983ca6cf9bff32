"""Consent: when it is asked, what the page says, what is remembered, how it is taken back."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from idp.clock import SetClock
from idp.db import db
from idp.flows.give_consent import MOST_DETAILS, Asked, give_consent
from idp.flows.withdraw_consent import withdraw_consent
from idp.models import Account, AuditRecord, Client, Consent, InitialAccessToken
from tests.builders import Make, Someone
from tests.idp.oauth.driver import Party, Registered, answer_of, claims_in
from tests.idp.oauth.pages import Visit

PAY = {"type": "payment", "amount": {"currency": "KGS", "value": 12.5}, "to": ["library", "<b>canteen</b>"], "fee": []}


@pytest.fixture
def stranger(party: Party) -> Registered:
    """A client that is not one of the university's own."""
    return party.client(
        first_party=False, client_name="Timetable <i>", authorization_details_types=["payment", "booking"],
        client_uri="https://rp.example/about", policy_uri="http://127.0.0.1/plain", tos_uri="https://rp.example/terms",
    )  # fmt: skip


@pytest.fixture
def visit(party: Party, clock: SetClock) -> Callable[..., Visit]:
    """The browser comes from the client a second after whatever was before."""

    def begin(browser: FlaskClient, client: Registered, **changes: Any) -> Visit:
        clock.advance(seconds=1)
        return Visit(party, browser, client, **changes)

    return begin


def consents(party: Party) -> list[Consent]:
    with party.app.app_context():
        return list(db.session.scalars(select(Consent)))


def acts(party: Party, act: str) -> list[AuditRecord]:
    with party.app.app_context():
        return list(db.session.scalars(select(AuditRecord).where(AuditRecord.act == act).order_by(AuditRecord.number)))


def test_the_page_names_client_host_person_and_what_is_asked(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    claims = json.dumps({"userinfo": {"phone_number": None, "email": None, "shoe_size": None}, "id_token": {"acr": {}}})
    page = visit(
        party.browser(make.account()), stranger, scope="openid profile email orders:read", claims=claims,
        authorization_details=json.dumps([PAY]),
    )  # fmt: skip
    assert page.at == "/consent"
    for said in (
        "Timetable &lt;i&gt; asks for your permission", '<strong class="mono" id="host">rp.example</strong>',
        "Үлгүбаева Aida", '<span class="mono">aida</span>', "See your name, login and language",
        "See your e-mail address at the university", '<span class="mono">orders:read</span>',
        "See: your work phone number", '<span class="mono">shoe_size</span>', 'href="https://rp.example/about"',
        'href="https://rp.example/terms"', '<h2 class="mono">payment</h2>',
        '<dt>amount › currency</dt><dd class="mono">KGS</dd>', '<dt>amount › value</dt><dd class="mono">12.5</dd>',
        '<dd class="mono">library, &lt;b&gt;canteen&lt;/b&gt;</dd>', '<dt>fee</dt><dd class="mono">[]</dd>',
        'id="allow" name="consent" value="allow"', 'id="deny" name="consent" value="deny"',
    ):  # fmt: skip
        assert said in page.main
    for unsaid in ("http://127.0.0.1/plain", "your e-mail address at the university</li>\n  <li>See: your e-mail",
                   "See: <span class=\"mono\">acr", "Know that it is you", 'id="warning"', "<i>"):  # fmt: skip
        assert unsaid not in page.main
    assert "form-action 'self' https://rp.example" in page.answer.headers["Content-Security-Policy"]


def test_for_the_sign_in_alone_the_page_says_that(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    page = visit(party.browser(make.account()), stranger, scope="openid")
    assert "It learns only that it is you." in page.main
    assert "It will be able to" not in page.main


def test_a_client_that_registered_itself_is_shown_with_a_warning(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    with party.app.app_context():
        now = make.clock.now()
        right = InitialAccessToken(
            name="test", token_digest="x", scopes=["openid"], uses_left=0, created_at=now, expires_at=now
        )
        db.session.add(right)
        db.session.flush()
        db.session.execute(
            update(Client).where(Client.client_id == stranger.client_id).values(registered_with=right.id)
        )
        db.session.commit()
        db.session.remove()
    assert 'id="warning"' in visit(party.browser(make.account()), stranger).main


def test_consent_is_asked_once_and_remembered(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered, clock: SetClock
) -> None:
    someone = make.account()
    browser = party.browser(someone)
    page = visit(browser, stranger)
    page.press("/consent", consent="allow")
    assert party.redeem(stranger, answer_of(page.answer)["code"]).status_code == 200
    assert "code" in answer_of(visit(browser, stranger).answer)
    assert "code" in answer_of(visit(browser, stranger, scope="openid", prompt="none").answer)
    [row] = consents(party)
    assert (row.account_id, row.scopes, row.withdrawn_at) == (someone.id, ["email", "openid", "profile"], None)
    assert row.given_at == clock.now() - timedelta(seconds=2)
    [given] = acts(party, "consent-given")
    assert (given.account_id, given.subject) == (someone.id, f"client/{stranger.client_id}")
    assert given.before == {"scopes": [], "claims": [], "resources": [], "details": []}
    assert given.after == {"scopes": ["email", "openid", "profile"], "claims": [], "resources": [], "details": []}


def test_more_is_asked_anew_and_joins_what_was_given(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    browser = party.browser(make.account())
    visit(browser, stranger, scope="openid profile").press("/consent", consent="allow")
    more: dict[str, Any] = {"scope": "openid email", "claims": '{"id_token":{"phone_number":null}}'}
    assert answer_of(visit(browser, stranger, prompt="none", **more).answer)["error"] == "consent_required"
    visit(browser, stranger, **more).press("/consent", consent="allow")
    everything = visit(browser, stranger, scope="openid profile email", claims=more["claims"], prompt="none")
    assert "code" in answer_of(everything.answer)
    [row] = consents(party)
    assert (row.scopes, row.claims) == (["email", "openid", "profile"], ["phone_number"])
    assert acts(party, "consent-given")[1].before["scopes"] == ["openid", "profile"]


def test_who_does_not_allow_it_is_denied_and_nothing_is_remembered(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    browser = party.browser(make.account())
    page = visit(browser, stranger)
    address = page.answer.request.full_path
    page.press("/consent", consent="deny")
    answer = answer_of(page.answer)
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s-1", party.base)
    assert consents(party) == []
    assert len(acts(party, "consent-refused")) == 1
    page.open(address)
    assert page.answer.status_code == 400
    assert visit(browser, stranger).at == "/consent"


def test_a_form_says_nothing_about_what_is_allowed(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    page = visit(party.browser(make.account()), stranger, scope="openid")
    page.press("/consent", consent="allow", scope="openid profile", claims="email", client_id="other")
    [row] = consents(party)
    assert (row.scopes, row.claims) == (["openid"], [])


def test_nothing_is_allowed_before_it_is_asked(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    """The form of another page, sent here in the middle of the sign-in."""
    page = visit(party.browser(make.account(accepted=False)), stranger)
    assert page.at == "/agreement"
    page.answer.data = page.answer.data.replace(b'<form method="post">', b'<form method="post" action="/consent">')
    page.press("/consent", consent="allow")
    assert page.at == "/agreement"
    assert consents(party) == []


def test_without_a_request_the_page_leads_to_the_account(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    page = visit(party.browser(make.account()), stranger)
    for path in ("/consent", "/choose-account"):
        page.open(path)
        assert page.at == "/account"


@pytest.mark.parametrize("first_party", [True, False])
def test_prompt_consent_asks_again(party: Party, make: Make, visit: Callable[..., Visit], first_party: bool) -> None:
    client, browser = party.client(first_party=first_party), party.browser(make.account())
    for _ in range(2):
        page = visit(browser, client, prompt="consent")
        assert page.at == "/consent"
        page.press("/consent", consent="allow")
        assert "code" in answer_of(page.answer)
    assert len(consents(party)) == 1


def test_a_client_of_the_house_is_not_asked_about(party: Party, make: Make, visit: Callable[..., Visit]) -> None:
    assert "code" in answer_of(visit(party.browser(make.account()), party.client()).answer)


def test_who_has_no_access_is_not_asked_either(party: Party, make: Make, visit: Callable[..., Visit]) -> None:
    client = party.client(system="unet", first_party=False)
    assert visit(party.browser(make.account(systems=())), client).answer.status_code == 403


def test_authorization_details_reach_the_token_once_they_are_agreed_to(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    browser = party.browser(make.account())
    page = visit(browser, stranger, authorization_details=json.dumps([PAY]))
    page.press("/consent", consent="allow")
    tokens = party.redeem(stranger, answer_of(page.answer)["code"]).get_json()
    assert tokens["authorization_details"] == [PAY]
    assert claims_in(tokens["access_token"])["authorization_details"] == [PAY]
    other = PAY | {"to": ["dormitory"]}
    same = visit(browser, stranger, prompt="none", authorization_details=json.dumps([PAY]))
    assert "code" in answer_of(same.answer)
    assert visit(browser, stranger, authorization_details=json.dumps([PAY, other])).at == "/consent"


def test_of_many_details_the_latest_are_remembered(party: Party, make: Make, stranger: Registered) -> None:
    someone = make.account()
    for number in range(MOST_DETAILS + 1):
        _give(party, make, someone, stranger, authorization_details=[{"type": "payment", "number": number}])
    [row] = consents(party)
    numbers = [detail["number"] for detail in row.authorization_details]
    assert numbers == list(range(1, MOST_DETAILS + 1))


def test_of_two_pages_at_once_both_are_remembered_in_one_row(party: Party, make: Make, stranger: Registered) -> None:
    someone = make.account()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda scope: _give(party, make, someone, stranger, scopes=[scope]), "abcdefgh"))
    [row] = consents(party)
    assert row.scopes == list("abcdefgh")


def test_what_was_taken_back_ends_at_once_and_is_asked_again(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    someone = make.account()
    browser = party.browser(someone)
    page = visit(browser, stranger, scope="openid email")
    page.press("/consent", consent="allow")
    tokens = party.redeem(stranger, answer_of(page.answer)["code"]).get_json()
    other = party.client(client_name="Another")
    kept = party.redeem(other, answer_of(visit(browser, other).answer)["code"]).get_json()
    page.open("/account")
    assert "Timetable &lt;i&gt;" in page.main
    assert "See your e-mail address at the university" in page.main
    page.press(f"/account/consents/{stranger.client_id}/withdraw")
    assert (page.at, "Taken back:" in page.main, "Timetable" in page.main) == ("/account", True, False)
    assert party.refresh(stranger, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.userinfo(kept["access_token"]).status_code == 200
    [withdrawn] = acts(party, "consent-withdrawn")
    assert withdrawn.before == {"scopes": ["email", "openid"], "claims": [], "resources": [], "open_grants": 1}
    assert withdrawn.after == {"scopes": [], "claims": [], "resources": [], "open_grants": 0}
    again = visit(browser, stranger, scope="openid")
    assert again.at == "/consent"
    again.press("/consent", consent="allow")
    [row] = consents(party)
    assert (row.scopes, row.withdrawn_at) == (["openid"], None)
    assert acts(party, "consent-given")[-1].before == {"scopes": [], "claims": [], "resources": [], "details": []}


def test_only_ones_own_consent_can_be_taken_back(party: Party, make: Make, stranger: Registered) -> None:
    aida, kanat = make.account("aida"), make.account("kanat")
    _give(party, make, aida, stranger, scopes=["openid"])
    with party.app.app_context():
        account = db.session.get_one(Account, kanat.id)
        assert withdraw_consent(make.here(), account, stranger.client_id) is False
    [row] = consents(party)
    assert row.withdrawn_at is None


def test_what_was_taken_back_may_be_taken_back_again(
    party: Party, make: Make, visit: Callable[..., Visit], stranger: Registered
) -> None:
    page = visit(party.browser(make.account()), stranger)
    page.press("/consent", consent="allow")
    page.open("/account")
    with_the_button = page.answer
    for _ in range(2):
        page.answer = with_the_button
        page.press(f"/account/consents/{stranger.client_id}/withdraw")
        assert "Taken back:" in page.main
    assert len(acts(party, "consent-withdrawn")) == 1


def _give(party: Party, make: Make, someone: Someone, client: Registered, **asked: Any) -> None:
    nothing: dict[str, Any] = {"scopes": [], "claims": [], "resources": [], "authorization_details": []}
    with party.app.app_context():
        account = db.session.get_one(Account, someone.id)
        row = db.session.scalars(select(Client.id).where(Client.client_id == client.client_id)).one()
        db.session.commit()
        give_consent(make.here(), account, row, Asked(**(nothing | asked)))
        db.session.commit()
        db.session.remove()
