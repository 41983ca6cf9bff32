"""The authorization endpoint: what it accepts, what it tells the client, what it keeps on a page."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import func, select

from idp.clock import SetClock
from idp.db import db
from idp.flows.remove_client import remove_client
from idp.models import AuditRecord, AuthorizationCode, Grant
from tests.builders import Make
from tests.idp.oauth.driver import CHALLENGE, Party, answer_of


def test_with_a_session_the_browser_goes_straight_back_with_a_code(party: Party, make: Make) -> None:
    answer = answer_of(party.authorize(party.browser(make.account()), party.client()))
    assert answer.keys() == {"tenant", "code", "state", "iss"}
    assert (answer["tenant"], answer["state"], answer["iss"]) == ("7", "s-1", party.base)


def test_a_posted_request_is_answered_the_same_way(party: Party, make: Make) -> None:
    assert "code" in answer_of(party.authorize(party.browser(make.account()), party.client(), method="POST"))


def test_the_code_is_not_stored(party: Party, make: Make) -> None:
    code = party.code(make.account(), party.client())
    with party.app.app_context():
        row = db.session.scalars(select(AuthorizationCode)).one()
        assert code not in repr(vars(row))


def test_signing_in_to_a_client_is_in_the_audit_trail(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    party.code(someone, client)
    with party.app.app_context():
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "signed-in-to-client")).one()
        assert (row.account_id, row.login, row.subject) == (someone.id, "aida", f"client/{client.client_id}")


def test_without_a_session_the_request_waits_under_a_token(party: Party) -> None:
    response = party.authorize(party.browser(), party.client())
    location = urlsplit(response.headers["Location"])
    assert (response.status_code, location.path) == (303, "/sign-in")
    assert dict(parse_qsl(location.query)).keys() == {"request"}


MISTAKES = {
    "no response_type": ({"response_type": None}, "invalid_request"),
    "response_type token": ({"response_type": "token"}, "unsupported_response_type"),
    "response_type with a quote": ({"response_type": 'co"de'}, "unsupported_response_type"),
    "response_type code id_token": ({"response_type": "code id_token"}, "unauthorized_client"),
    "unknown response_mode": ({"response_mode": "pigeon"}, "invalid_request"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "only scopes the client may not have": ({"scope": "payroll"}, "invalid_scope"),
    "scope with a quote": ({"scope": 'openid "x"'}, "invalid_scope"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "challenge without method": ({"code_challenge_method": None}, "invalid_request"),
    "plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "method without challenge": ({"code_challenge": None}, "invalid_request"),
    "short challenge": ({"code_challenge": "short"}, "invalid_request"),
    "long challenge": ({"code_challenge": CHALLENGE + "A"}, "invalid_request"),
    "unknown prompt": ({"prompt": "dance"}, "invalid_request"),
    "prompt none and login": ({"prompt": "none login"}, "invalid_request"),
    "max_age that is no number": ({"max_age": "soon"}, "invalid_request"),
    "negative max_age": ({"max_age": "-1"}, "invalid_request"),
    "request object": ({"request": "e30.e30."}, "invalid_request_object"),
    "request by reference": ({"request_uri": "https://rp.example/r"}, "invalid_request_uri"),
    "self-registration": ({"registration": "{}"}, "registration_not_supported"),
    "claims whose values are no list": ({"claims": '{"id_token":{"acr":{"values":5}}}', "prompt": "none"}, None),
    "details with a NUL": ({"authorization_details": '[{"type":"x","y":"\\u0000"}]'}, "invalid_authorization_details"),
    "two scopes": ({"scope": ["openid", "profile"]}, "invalid_request"),
    "two challenges": ({"code_challenge": [CHALLENGE, CHALLENGE]}, "invalid_request"),
    "two nonces": ({"nonce": ["a", "b"]}, "invalid_request"),
    "a nonce that no database takes": ({"nonce": "a\0b"}, "invalid_request"),
    "a nonce that is no ASCII": ({"nonce": "ноль"}, "invalid_request"),
    "an endless nonce": ({"nonce": "n" * 5000}, "invalid_request"),
    "unknown display": ({"display": "hologram"}, "invalid_request"),
    "claims that are no JSON": ({"claims": "{"}, "invalid_request"),
    "claims that are a list": ({"claims": "[]"}, "invalid_request"),
    "claims that are no wishes": ({"claims": '{"userinfo":{"email":"please"}}'}, "invalid_request"),
    "claims of endless depth": ({"claims": "[" * 10_000}, "invalid_request"),
    "a key that is no thumbprint": ({"dpop_jkt": "key"}, "invalid_request"),
    "a foreign resource": ({"resource": "https://evil.example/"}, "invalid_target"),
    "details nobody registered": ({"authorization_details": '[{"type":"x"}]'}, "invalid_authorization_details"),
}


@pytest.mark.parametrize(("changes", "error"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_to_the_client_with_state_and_issuer(
    party: Party, make: Make, changes: dict[str, str], error: str | None
) -> None:
    answer = answer_of(party.authorize(party.browser(make.account()), party.client(), **changes))
    assert (answer.get("error"), answer["state"], answer["iss"]) == (error, "s-1", party.base)
    assert ("code" in answer) == (error is None)


@pytest.mark.parametrize(
    "state", [["a", "b"], "x\ny", "тамга", "s" * 5000], ids=["twice", "newline", "no ASCII", "endless"]
)
def test_a_state_that_cannot_be_given_back_is_refused_without_it(party: Party, make: Make, state: object) -> None:
    answer = answer_of(party.authorize(party.browser(make.account()), party.client(), state=state))
    assert (answer["error"], "state" in answer) == ("invalid_request", False)


def test_a_client_without_the_grant_is_refused(party: Party, make: Make) -> None:
    client = party.client(grant_types=["client_credentials"])
    answer = answer_of(party.authorize(party.browser(make.account()), client))
    assert answer["error"] == "unauthorized_client"


def test_scopes_the_client_may_not_have_are_left_out(party: Party, make: Make) -> None:
    tokens = party.tokens(make.account(), party.client(scopes=["openid"]), scope="openid profile payroll")
    assert tokens["scope"] == "openid"


def test_a_client_exempted_from_pkce_needs_a_nonce(party: Party, make: Make) -> None:
    client = party.client(pkce_required=False)
    bare: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}
    assert "code" in answer_of(party.authorize(party.browser(make.account()), client, **bare))
    answer = answer_of(party.authorize(party.browser(), client, **bare, nonce=None))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("prompt", ["none", None])
def test_where_no_page_may_be_shown_the_client_hears_what_is_missing(
    party: Party, make: Make, prompt: str | None
) -> None:
    client = party.client()
    stranger = party.authorize(party.browser(), client, prompt="none")
    unsure = party.authorize(party.browser(make.account("kanat", accepted=False)), client, prompt="none")
    assert answer_of(stranger)["error"] == "login_required"
    assert answer_of(unsure)["error"] == "interaction_required"
    assert "code" in answer_of(party.authorize(party.browser(make.account()), client, prompt=prompt))


def test_prompt_login_asks_again_whoever_is_there(party: Party, make: Make, clock: SetClock) -> None:
    browser, client = party.browser(make.account()), party.client()
    clock.advance(seconds=1)
    for changes in ({"prompt": "login"}, {"max_age": "0"}):
        assert "/sign-in?" in party.authorize(browser, client, **changes).headers["Location"]


def test_max_age_asks_again_only_when_the_sign_in_is_older(party: Party, make: Make, clock: SetClock) -> None:
    browser, client = party.browser(make.account()), party.client()
    clock.advance(seconds=30)
    assert "code" in answer_of(party.authorize(browser, client, max_age="60"))
    clock.advance(seconds=31)
    assert "/sign-in?" in party.authorize(browser, client, max_age="60").headers["Location"]


def test_without_pages_a_sign_in_that_is_too_old_is_told(party: Party, make: Make, clock: SetClock) -> None:
    browser, client = party.browser(make.account()), party.client(default_max_age=60)
    assert "code" in answer_of(party.authorize(browser, client, prompt="none"))
    clock.advance(seconds=61)
    assert answer_of(party.authorize(browser, client, prompt="none"))["error"] == "login_required"
    assert "code" in answer_of(party.authorize(browser, client, prompt="none", max_age="3600"))


def test_what_the_standard_lets_pass_changes_nothing(party: Party, make: Make) -> None:
    """OIDC Core, 3.1.2.1, 5.2 and 15.1: unknown parameters, languages and displays are no reason to refuse."""
    client, browser = party.client(), party.browser(make.account())
    for more in ({"extra": "foobar"}, {"claims_locales": "se"}, {"ui_locales": "se"}, {"display": "popup"},
                 {"login_hint": "somebody@example.org"}, {"acr_values": "urn:nobody:knows"}, {"prompt": ""}):  # fmt: skip
        assert "code" in answer_of(party.authorize(browser, client, **more)), more


def test_who_has_no_access_to_the_system_gets_no_code(party: Party, make: Make) -> None:
    client = party.client(system="unet")
    inside, outside = make.account("aida", systems=("unet",)), make.account("kanat", systems=())
    assert "code" in answer_of(party.authorize(party.browser(inside), client))
    assert "/continue?" in party.authorize(party.browser(outside), client).headers["Location"]
    assert answer_of(party.authorize(party.browser(outside), client, prompt="none"))["error"] == "access_denied"


def test_a_closed_account_is_not_signed_in(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    browser = party.browser(someone)
    make.close(someone)
    assert answer_of(party.authorize(browser, client, prompt="none"))["error"] == "login_required"


def test_a_removed_client_is_unknown_at_once_and_loses_its_grants(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    access = party.tokens(someone, client)["access_token"]
    with party.app.app_context():
        assert remove_client(make.here(), client.client_id) == 1
        db.session.commit()
        db.session.remove()
    assert party.authorize(party.browser(someone), client).status_code == 400
    assert party.userinfo(access).status_code == 401


def test_doubt_about_the_client_stays_on_a_page(party: Party, make: Make) -> None:
    browser, client = party.browser(make.account()), party.client()
    for name in (None, "", "nobody", 'no"body', "no\0body", "ким", "x" * 5000, [client.client_id, client.client_id]):
        response = party.authorize(browser, client, client_id=name)
        assert response.status_code == 400
        assert "Location" not in response.headers


def test_a_plain_oauth_client_may_leave_out_its_only_redirect_uri(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    answer = answer_of(party.authorize(party.browser(someone), client, redirect_uri=None, scope="profile"))
    tokens = party.redeem(client, answer["code"], redirect_uri=None).get_json()
    assert "access_token" in tokens
    assert "id_token" not in tokens
    assert party.authorize(party.browser(someone), client, redirect_uri=None).status_code == 400


def test_nothing_is_granted_by_asking(party: Party) -> None:
    party.authorize(party.browser(), party.client())
    with party.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Grant)) == 0


def test_a_silent_request_from_a_clients_form_which_brings_no_cookie_is_answered_all_the_same(
    party: Party, make: Make
) -> None:
    client, browser = party.client(), party.browser(make.account())
    silent = {"method": "POST", "prompt": "none"}
    aside = party.authorize(party.browser(), client, **silent)  # SameSite=Lax: no cookie comes with a foreign form
    assert "code" in answer_of(browser.get(aside.headers["Location"], base_url=party.base))
    nobody = party.browser()
    aside = party.authorize(nobody, client, **silent)
    assert answer_of(nobody.get(aside.headers["Location"], base_url=party.base))["error"] == "login_required"
