"""Where the provider meets the sign-in pages."""

import json
import re
from html import unescape

import pyotp
import pytest
import sqlalchemy as sa

from idp.clock import SetClock
from idp.db import db
from idp.flows.remove_client import remove_client
from idp.models import AffiliationRow, Link
from idp.oauth.finish import NO_ACCESS, deny
from idp.oauth.interaction import choose_account, recall
from policies.assurance import MULTI_FACTOR, SINGLE_FACTOR
from tests.builders import SEED, Make
from tests.idp.oauth.driver import CALLBACK, Party, Registered, answer_of, claims_in
from tests.idp.oauth.pages import FIELD, Visit
from tests.idp.oauth.test_races import HANDS, at_once


def waiting(party: Party, client: Registered, **changes: str) -> str:
    """The token of a request that waits."""
    return party.authorize(party.browser(), client, **changes).headers["Location"].split("request=")[1]


def test_a_waiting_request_is_remembered_whole(party: Party, clock: SetClock) -> None:
    token = waiting(party, party.client(), prompt="login", max_age="300", login_hint="aida", ui_locales="ru ky")
    clock.advance(minutes=59)
    with party.app.app_context():
        pending = recall(token, clock.now())
    assert pending is not None
    assert (pending.client_name, pending.redirect_uri) == ("Test system", CALLBACK)
    assert (pending.prompt, pending.request.max_age) == (frozenset({"login"}), 300)
    assert (pending.request.login_hint, pending.request.ui_locales) == ("aida", ("ru", "ky"))
    assert (pending.request.state, pending.request.scope) == ("s-1", ("openid", "profile", "email"))


def test_it_is_forgotten_after_an_hour(party: Party, clock: SetClock) -> None:
    token = waiting(party, party.client())
    clock.advance(hours=1)
    with party.app.app_context():
        assert recall(token, clock.now()) is None
        assert recall("no such token", clock.now()) is None


def test_it_does_not_outlive_its_client(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    token = waiting(party, client)
    with party.app.app_context():
        remove_client(make.here(), client.client_id)
        db.session.commit()
        assert recall(token, clock.now()) is None


def test_after_the_pages_the_dispatcher_answers_the_client_once(party: Party, make: Make) -> None:
    client = party.client()
    someone, browser = make.account(), party.browser()
    token = party.authorize(browser, client).headers["Location"].split("request=")[1]
    party.sign_in(browser, someone)
    place = {"query_string": {"request": token}, "base_url": party.base}
    answer = answer_of(browser.get("/continue", **place))
    assert (answer["state"], answer["iss"]) == ("s-1", party.base)
    assert party.redeem(client, answer["code"]).status_code == 200
    assert browser.get("/continue", **place).status_code == 400


def test_select_account_asks_and_goes_on_with_the_one_that_is_chosen(party: Party, make: Make, clock: SetClock) -> None:
    client, aida = party.client(), make.account()
    browser = party.browser(aida)
    clock.advance(seconds=1)
    page = Visit(party, browser, client, prompt="select_account")
    assert page.at == "/choose-account"
    assert "Continue as Үлгүбаева Aida" in page.main
    page.press("/choose-account")
    tokens = party.redeem(client, answer_of(page.answer)["code"]).get_json()
    assert claims_in(tokens["id_token"])["sub"] == aida.sub
    clock.advance(seconds=1)
    assert Visit(party, browser, client, prompt="select_account").at == "/choose-account"


def test_another_account_signs_in_and_takes_the_place_of_the_first(party: Party, make: Make, clock: SetClock) -> None:
    client, kanat = party.client(), make.account("kanat")
    browser = party.browser(make.account())
    clock.advance(seconds=1)
    page = Visit(party, browser, client, prompt="select_account")
    another = re.search(r'id="another" href="([^"]+)"', page.main)
    assert another is not None
    page.open(unescape(another.group(1)) + "&lang=en")
    assert (page.at, 'name="login" value=""' in page.main) == ("/sign-in", True)
    page.sign_in(kanat)
    tokens = party.redeem(client, answer_of(page.answer)["code"]).get_json()
    assert claims_in(tokens["id_token"])["sub"] == kanat.sub


def test_an_account_is_chosen_once_for_a_request(party: Party, make: Make, clock: SetClock) -> None:
    client, browser = party.client(), party.browser(make.account())
    clock.advance(seconds=1)
    page = Visit(party, browser, client, prompt="select_account")
    address = page.answer.request.full_path
    page.press("/choose-account")
    page.open(address)
    assert (page.answer.status_code, "This sign-in has run out" in page.main) == (400, True)


@pytest.mark.parametrize("how", ["id_token_hint", "claims"])
def test_another_person_than_the_one_named_is_not_signed_in(
    party: Party, make: Make, clock: SetClock, how: str
) -> None:
    client, aida, kanat = party.client(), make.account("aida"), make.account("kanat")
    id_token = party.tokens(aida, client)["id_token"]
    named = {"id_token_hint": id_token} if how == "id_token_hint" else {"claims": _sub(aida.sub)}
    browser = party.browser(kanat)
    clock.advance(seconds=1)
    silent = answer_of(party.authorize(browser, client, prompt="none", **named))
    assert (silent["error"], "code" in silent) == ("login_required", False)
    assert "code" in answer_of(party.authorize(party.browser(aida), client, prompt="none", **named))
    page = Visit(party, browser, client, **named)
    assert page.at == "/sign-in"
    page.sign_in(kanat)
    assert answer_of(page.answer)["error"] == "login_required"
    clock.advance(seconds=1)
    page = Visit(party, browser, client, **named)
    page.sign_in(aida)
    assert "code" in answer_of(page.answer)


def test_an_essential_class_of_authentication_is_met_or_refused(party: Party, make: Make) -> None:
    browser, client = party.browser(make.account()), party.client()

    def asked(essential: bool, *values: str, **more: str) -> dict[str, str]:
        return answer_of(party.authorize(browser, client, claims=_acr(essential, *values), **more))

    assert asked(True, "urn:other")["error"] == "unmet_authentication_requirements"
    assert asked(True, MULTI_FACTOR, prompt="none")["error"] == "unmet_authentication_requirements"
    assert "code" in asked(True, MULTI_FACTOR, SINGLE_FACTOR)
    assert "code" in asked(False, MULTI_FACTOR)
    assert "code" in answer_of(party.authorize(browser, client, acr_values=MULTI_FACTOR))


def test_a_second_factor_that_a_client_needs_is_enrolled_on_the_way(party: Party, make: Make) -> None:
    page = Visit(party, party.browser(make.account()), party.client(), claims=_acr(True, MULTI_FACTOR))
    assert page.at == "/account/factors"
    page.press("/account/factors", name="Phone")
    seed = re.findall(r'id="seed">([A-Z2-7 ]+)<', page.main)[0].replace(" ", "")
    page.press(page.at, code=pyotp.TOTP(seed).at(make.clock.now()))
    page.open(re.findall(r'id="continue" href="([^"]+)"', page.main)[0])
    assert "code" in answer_of(page.answer)


def test_a_second_factor_that_was_enrolled_is_given_on_the_way(party: Party, make: Make) -> None:
    aida, client = make.account(), party.client()
    make.enrol(aida)
    page = Visit(party, party.browser(), client, claims=_acr(True, MULTI_FACTOR))
    page.sign_in(aida)
    assert page.at == "/second-factor"
    page.press("/second-factor", code=pyotp.TOTP(SEED).at(make.clock.now()))
    answer = answer_of(page.answer)
    told = claims_in(party.redeem(client, answer["code"]).get_json()["id_token"])
    assert (told["acr"], told["amr"]) == (MULTI_FACTOR, ["pwd", "otp", "mfa"])


def test_the_sign_in_page_names_the_client_and_takes_its_hint(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client(client_name='<b>"UNET"')
    page = Visit(party, party.browser(), client, login_hint='ai"da', display="popup")
    assert "<strong>&lt;b&gt;&#34;UNET&#34;</strong>" in page.main
    assert 'id="login" name="login" value="ai&#34;da"' in page.main
    browser = party.browser(make.account())
    clock.advance(seconds=1)
    assert 'value="aida"' in Visit(party, browser, client, prompt="login").main
    assert 'value="kanat"' in Visit(party, browser, client, prompt="login", login_hint="kanat").main


DENIALS = {
    "infodocs": "This system is for employees of the university.",
    "avn": "Your position or study does not include access to this system.",
    "zoom": "This system is given only to those whose order names it.",
}


@pytest.mark.parametrize(("system", "why"), DENIALS.items())
def test_who_has_no_access_is_told_why_and_goes_back_to_the_client(
    party: Party, make: Make, clock: SetClock, system: str, why: str
) -> None:
    someone, client = make.account(systems=()), party.client(system=system, client_name="Timetable")
    if system == "infodocs":
        with party.app.app_context():
            db.session.execute(sa.update(AffiliationRow).values(kind="student"))
            db.session.commit()
    page = Visit(party, party.browser(someone), client)
    assert (page.answer.status_code, why in page.main) == (403, True)
    page.press("/turn-back")
    answer = answer_of(page.answer)
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s-1", party.base)


@pytest.mark.parametrize(
    ("department", "why"), [("0407", "yours is not among them"), ("HR", "Your position or study does not include")]
)
def test_a_system_of_other_departments_says_so(party: Party, make: Make, department: str, why: str) -> None:
    someone = make.account(systems=(), department=department)
    assert why in Visit(party, party.browser(someone), party.client(system="shnet")).main


def test_access_that_has_ended_is_said_to_have_ended(party: Party, make: Make) -> None:
    someone = make.account(systems=("unet",))
    with party.app.app_context():
        db.session.execute(sa.update(Link).values(active=False))
        db.session.commit()
    page = Visit(party, party.browser(someone), party.client(system="unet"))
    assert "Your access to this system has ended." in page.main


def _acr(essential: bool, *values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": essential, "values": values}}})


def _sub(sub: str) -> str:
    return json.dumps({"id_token": {"sub": {"value": sub}}})


def test_what_another_tab_has_answered_is_neither_answered_again_nor_changed(
    party: Party, make: Make, clock: SetClock
) -> None:
    token, someone = waiting(party, party.client()), make.account()
    with party.app.app_context():
        pending = recall(token, clock.now())
        assert pending is not None
        assert choose_account(pending, someone.id)
        db.session.commit()
        assert deny(pending, NO_ACCESS) is not None
        db.session.commit()
        assert deny(pending, NO_ACCESS) is None
        assert not choose_account(pending, someone.id)
        db.session.remove()


def test_of_many_tabs_that_turn_back_one_takes_the_answer_along(party: Party, make: Make) -> None:
    someone, client = make.account(systems=()), party.client(system="unet")
    browser = party.browser(someone)
    page = Visit(party, browser, client)
    _, _, rest = page.main.partition('action="/turn-back"')
    form = dict(FIELD.findall(rest.partition("</form>")[0]))
    answers = at_once(lambda: browser.post("/turn-back", base_url=party.base, data=form))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (HANDS - 1)


def test_the_sign_in_page_links_to_what_a_client_says_of_itself(party: Party) -> None:
    """OIDC Registration, 2: only links that can't run anything, and no picture of another site."""
    told = {
        "client_name": "Timetable <i>", "policy_uri": "https://rp.example/privacy?a=1&b=2",
        "tos_uri": "http://127.0.0.1/terms", "logo_uri": "https://rp.example/logo.png",
    }  # fmt: skip
    page = Visit(party, party.browser(), party.client(**told))
    safe = 'target="_blank" rel="noopener noreferrer"'
    assert f'<a id="policy-uri" href="https://rp.example/privacy?a=1&amp;b=2" {safe}>' in page.main
    assert "<strong>Timetable &lt;i&gt;</strong>" in page.main
    assert not any(unsaid in page.main for unsaid in ("127.0.0.1/terms", "tos-uri", "logo.png"))
    bare = Visit(party, party.browser(), party.client())
    assert "<ul" not in bare.main
