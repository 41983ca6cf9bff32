"""Devices without a browser (RFC 8628): codes, polls, and what the person decides."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db
from idp.flows.sessions import end_all_sessions
from idp.flows.withdraw_consent import withdraw_consent
from idp.models import Account, AuditRecord, Consent, DeviceCode, Grant, RefreshToken
from policies.registration import DEVICE_CODE
from tests.builders import Make, Someone
from tests.idp.oauth.driver import Party, Registered, claims_in
from tests.idp.oauth.proofs import Prover, jwks
from tests.idp.oauth.reading import encryption_keys
from tests.idp.oauth.test_userinfo import changed
from tests.idp.web.browser import Browser

HANDS, POLLS = 20, 100


def a_device(party: Party, **changes: Any) -> Registered:
    """A television: it can't keep a secret, nor show a page."""
    plain = {"grant_types": [DEVICE_CODE, "refresh_token"], "redirect_uris": [], "public": True}
    return party.client(**(plain | changes))


def start(party: Party, client: Registered | None, scope: str | None = "openid profile", **form: Any) -> TestResponse:
    return party._post("/oauth/device_authorization", client, {}, ({"scope": scope} if scope else {}) | form)


def poll(party: Party, client: Registered | None, device_code: str, **form: Any) -> TestResponse:
    return party.token(client, grant_type=DEVICE_CODE, device_code=device_code, **form)


def a_browser(make: Make, someone: Someone) -> Browser:
    browser = Browser(make)
    browser.sign_in(someone)
    return browser


def decide(browser: Browser, user_code: str, decision: str = "allow") -> TestResponse:
    return browser.submit("/device/decision", {"user_code": user_code, "decision": decision}, page="/device")


def test_while_the_client_has_no_key_for_its_id_token_the_code_is_not_spent(party: Party, make: Make) -> None:
    key, wrong = encryption_keys()["RSA-OAEP"], encryption_keys()["ECDH-ES"]
    client = a_device(party, jwks=jwks(key), id_token_encrypted_response_alg="RSA-OAEP")
    codes = start(party, client).get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    changed(party, client, jwks=jwks(wrong))
    assert error_of(poll(party, client, codes["device_code"])) == "invalid_request"
    changed(party, client, jwks=jwks(key))
    assert "id_token" in poll(party, client, codes["device_code"]).get_json()


def error_of(response: TestResponse) -> str:
    assert response.status_code == 400, response.text
    return str(response.get_json()["error"])


def at_once(hands: int, act: Callable[[int], TestResponse]) -> list[TestResponse]:
    begin = Barrier(hands)

    def hand(number: int) -> TestResponse:
        begin.wait()
        return act(number)

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(hand, range(hands)))


def test_a_device_gets_two_codes_and_the_address_of_the_page(party: Party) -> None:
    answer = start(party, a_device(party))
    told = answer.get_json()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert len(told["device_code"]) == 43
    assert told["verification_uri"] == f"{party.base}/device"
    assert told["verification_uri_complete"] == f"{party.base}/device?user_code={told['user_code']}"
    assert (told["expires_in"], told["interval"]) == (600, 5)
    assert answer.headers["Cache-Control"] == "no-store"
    with party.app.app_context():
        row = db.session.scalars(select(DeviceCode)).one()
        kept = f"{row.device_digest} {row.user_digest} {row.parameters}"
        db.session.remove()
    assert told["device_code"] not in kept
    assert told["user_code"].replace("-", "") not in kept


def test_after_the_person_allowed_it_the_device_has_its_tokens(party: Party, make: Make, clock: SetClock) -> None:
    someone, client = make.account(), a_device(party)
    codes = start(party, client).get_json()
    assert error_of(poll(party, client, codes["device_code"])) == "authorization_pending"
    signed_in = clock.now()
    browser = a_browser(make, someone)
    clock.advance(minutes=1)
    assert 'id="allowed"' in decide(browser, codes["user_code"]).text
    tokens = poll(party, client, codes["device_code"]).get_json()
    assert tokens["scope"] == "openid profile"
    assert (
        claims_in(tokens["id_token"]).items()
        >= {
            "sub": someone.sub,
            "aud": client.client_id,
            "auth_time": int(signed_in.timestamp()),
        }.items()
    )
    assert party.userinfo(tokens["access_token"]).get_json()["preferred_username"] == "aida"
    assert party.refresh(client, tokens["refresh_token"]).status_code == 200
    assert error_of(poll(party, client, codes["device_code"])) == "invalid_grant"
    with party.app.app_context():
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "device-allowed")).one()
        assert (row.login, row.subject) == ("aida", f"client/{client.client_id}")
        assert row.after == {"client": client.client_id, "scope": ["openid", "profile"]}
        db.session.remove()


def test_allowing_is_consent_that_can_be_taken_back(party: Party, make: Make) -> None:
    someone, client = make.account(), a_device(party)
    codes = start(party, client).get_json()
    decide(a_browser(make, someone), codes["user_code"])
    tokens = poll(party, client, codes["device_code"]).get_json()
    with party.app.app_context():
        account = db.session.get_one(Account, someone.id)
        assert db.session.scalars(select(Consent)).one().scopes == ["openid", "profile"]
        assert withdraw_consent(make.here(), account, client.client_id) == 1
        db.session.commit()
        db.session.remove()
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_the_tokens_are_bound_to_the_key_the_device_shows(party: Party, make: Make) -> None:
    client, prover, other = a_device(party), Prover(party), Prover(party)
    codes = start(party, client).get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"]}
    tokens = party.token(client, headers={"DPoP": prover.proof()}, **form).get_json()
    assert tokens["token_type"] == "DPoP"
    assert claims_in(tokens["access_token"])["cnf"] == {"jkt": prover.jkt}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert party.token(client, headers={"DPoP": other.proof()}, **refresh).status_code == 400
    assert party.token(client, headers={"DPoP": prover.proof()}, **refresh).status_code == 200


def test_only_who_was_registered_for_it_gets_refresh_and_id_tokens(party: Party, make: Make) -> None:
    client = a_device(party, grant_types=[DEVICE_CODE])
    codes = start(party, client, "email").get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    tokens = poll(party, client, codes["device_code"]).get_json()
    assert tokens.keys() & {"refresh_token", "id_token"} == set()


def test_a_device_of_a_confidential_client_proves_itself(party: Party, make: Make) -> None:
    client = a_device(party, public=False)
    assert start(party, Registered(client.client_id, None)).status_code == 401
    codes = start(party, client).get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    assert poll(party, Registered(client.client_id, None), codes["device_code"]).status_code == 401
    assert poll(party, client, codes["device_code"]).status_code == 200


def test_a_refused_device_gets_nothing(party: Party, make: Make) -> None:
    client = a_device(party)
    codes = start(party, client).get_json()
    browser = a_browser(make, make.account())
    assert 'id="denied"' in decide(browser, codes["user_code"], "deny").text
    assert error_of(poll(party, client, codes["device_code"])) == "access_denied"
    assert decide(browser, codes["user_code"]).status_code == 422, "what was denied can't be allowed any more"
    assert error_of(poll(party, client, codes["device_code"])) == "access_denied"


def test_a_code_that_ran_out_can_be_neither_allowed_nor_redeemed(party: Party, make: Make, clock: SetClock) -> None:
    client, browser = a_device(party), a_browser(make, make.account())
    late, allowed = start(party, client).get_json(), start(party, client).get_json()
    decide(browser, allowed["user_code"])
    clock.advance(seconds=600)
    assert decide(browser, late["user_code"]).status_code == 422
    for codes in (late, allowed):
        assert error_of(poll(party, client, codes["device_code"])) == "expired_token"
    clock.advance(days=2)
    start(party, client)
    assert error_of(poll(party, client, late["device_code"])) == "invalid_grant", "forgotten by now"


def test_who_polls_too_fast_has_to_wait_longer_each_time(party: Party, clock: SetClock) -> None:
    client = a_device(party)
    code = start(party, client).get_json()["device_code"]
    told = []
    for seconds in (0, 5, 4, 9, 14, 20):  # after the interval of 5 it is 10, then 15, then 20
        clock.advance(seconds=seconds)
        told.append(error_of(poll(party, client, code)))
    assert told == ["authorization_pending", "authorization_pending", "slow_down", "slow_down", "slow_down",
                    "authorization_pending"]  # fmt: skip


def test_who_was_allowed_need_not_wait(party: Party, make: Make) -> None:
    client = a_device(party)
    codes = start(party, client).get_json()
    for told in ("authorization_pending", "slow_down"):
        assert error_of(poll(party, client, codes["device_code"])) == told
    decide(a_browser(make, make.account()), codes["user_code"])
    assert poll(party, client, codes["device_code"]).status_code == 200


@pytest.mark.parametrize("secret", [False, True])
def test_the_code_of_another_device_is_no_code(party: Party, make: Make, secret: bool) -> None:
    client, other = a_device(party), a_device(party, public=not secret)
    codes = start(party, client).get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    assert error_of(poll(party, other, codes["device_code"])) == "invalid_grant"
    assert error_of(poll(party, client, "never-issued")) == "invalid_grant"
    assert error_of(poll(party, client, codes["user_code"])) == "invalid_grant"
    assert error_of(party.token(client, grant_type=DEVICE_CODE)) == "invalid_request"
    assert poll(party, client, codes["device_code"]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "asked", "error"),
    [
        ({}, {"scope": None}, "invalid_scope"),
        ({}, {"scope": "unheard-of"}, "invalid_scope"),
        ({}, {"resource": "https://elsewhere.example"}, "invalid_target"),
        ({}, {"authorization_details": "[]"}, "invalid_authorization_details"),
        ({}, {"scope": ["openid", "profile"]}, "invalid_request"),
        ({"grant_types": ["refresh_token"]}, {}, "unauthorized_client"),
    ],
)
def test_what_is_not_to_be_had_is_refused_at_once(
    party: Party, changes: dict[str, Any], asked: dict[str, Any], error: str
) -> None:
    assert error_of(start(party, a_device(party, **changes), **asked)) == error


def test_who_may_not_use_the_grant_may_not_poll(party: Party) -> None:
    assert error_of(poll(party, a_device(party, grant_types=["refresh_token"]), "x")) == "unauthorized_client"
    assert start(party, None).status_code == 401


def test_the_token_is_for_the_resources_that_were_asked_for(party: Party, make: Make) -> None:
    resources = ["https://a.example/", "https://b.example/"]
    client, browser = a_device(party, resources=resources), a_browser(make, make.account())
    codes = start(party, client, resource=resources).get_json()
    decide(browser, codes["user_code"])
    assert error_of(poll(party, client, codes["device_code"], resource="https://c.example/")) == "invalid_target"
    tokens = poll(party, client, codes["device_code"], resource=resources[0]).get_json()
    assert claims_in(tokens["access_token"])["aud"] == resources[0]
    codes = start(party, client).get_json()
    decide(browser, codes["user_code"])
    assert claims_in(poll(party, client, codes["device_code"]).get_json()["access_token"])["aud"] == party.base


def test_the_grant_must_stand_when_the_device_comes(party: Party, make: Make) -> None:
    client, closed, ended = a_device(party), make.account("closed"), make.account("ended")
    first, second = start(party, client).get_json(), start(party, client).get_json()
    decide(a_browser(make, closed), first["user_code"])
    decide(a_browser(make, ended), second["user_code"])
    make.close(closed)
    with party.app.app_context():
        end_all_sessions(make.here(), db.session.get_one(Account, ended.id), "test")
        db.session.commit()
        db.session.remove()
    for codes in (first, second):
        assert error_of(poll(party, client, codes["device_code"])) == "invalid_grant"


def test_of_a_hundred_parallel_polls_one_has_the_tokens(party: Party, make: Make) -> None:
    client = a_device(party)
    codes = start(party, client).get_json()
    decide(a_browser(make, make.account()), codes["user_code"])
    answers = at_once(POLLS, lambda _: poll(party, client, codes["device_code"]))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (POLLS - 1)
    winner = next(answer for answer in answers if answer.status_code == 200).get_json()
    assert party.userinfo(winner["access_token"]).status_code == 200, "the others take nothing back"
    with party.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 1
        db.session.remove()


def test_of_parallel_polls_of_a_waiting_code_one_is_in_time(party: Party) -> None:
    client = a_device(party)
    code = start(party, client).get_json()["device_code"]
    told = [error_of(answer) for answer in at_once(HANDS, lambda _: poll(party, client, code))]
    assert sorted(told) == ["authorization_pending"] + ["slow_down"] * (HANDS - 1)
    with party.app.app_context():
        assert db.session.scalars(select(DeviceCode)).one().interval == 5 + 5 * (HANDS - 1)
        db.session.remove()


def test_of_two_browsers_that_decide_at_once_one_does(party: Party, make: Make) -> None:
    client = a_device(party)
    browsers = [a_browser(make, make.account(login)) for login in ("first", "second", "third", "fourth")]
    codes = start(party, client).get_json()
    decisions = ("allow", "allow", "deny", "allow")
    forms = [browser.form("/device") for browser in browsers]
    answers = at_once(
        len(browsers),
        lambda number: browsers[number].post(
            "/device/decision", data=forms[number] | {"user_code": codes["user_code"], "decision": decisions[number]}
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    won = decisions[next(number for number, answer in enumerate(answers) if answer.status_code == 200)]
    with party.app.app_context():
        grants = db.session.scalar(select(func.count()).select_from(Grant))
        acts = db.session.scalars(select(AuditRecord.act).where(AuditRecord.act.like("device-%"))).all()
        db.session.remove()
    assert grants == (1 if won == "allow" else 0)
    assert len(acts) == 1
    assert poll(party, client, codes["device_code"]).status_code == (200 if won == "allow" else 400)
