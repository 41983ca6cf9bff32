"""The pages of the second factor: on the way in, and on one's own account."""

import re
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Factor, Message
from tests.builders import SEED, Make, Someone
from tests.idp.web.browser import Browser

SHOWN_SEED = re.compile(r'id="seed">([A-Z2-7 ]+)<')
SHOWN_CODE = re.compile(r"<li>([0-9A-Z-]{19})</li>")


def half_in(make: Make, someone: Someone, browser: Browser | None = None) -> Browser:
    """The password is given, the second factor is not."""
    browser = browser or Browser(make)
    browser.submit("/sign-in", {"login": someone.login, "password": someone.password}, page="/sign-in?lang=en")
    return browser


def enrol(make: Make, browser: Browser) -> tuple[str, list[str]]:
    """Through the pages; the seed and the recovery codes."""
    page = browser.submit("/account/factors", {"name": "Phone"}).headers["Location"]
    seed = SHOWN_SEED.findall(browser.get(page).text)[0].replace(" ", "")
    answer = browser.submit(page, {"code": pyotp.TOTP(seed).at(make.clock.now())})
    assert answer.status_code == 200
    return seed, SHOWN_CODE.findall(answer.text)


def test_half_a_sign_in_opens_nothing(make: Make) -> None:
    browser = half_in(make, make.officer(role="admin", department=None))
    for path in ("/account", "/desk", "/orders", "/account/factors", "/device", "/admin/clients"):
        answer = browser.get(path, follow_redirects=True)
        assert answer.request.path == "/second-factor"
        assert 'class="rooms"' not in answer.text


def test_a_code_leads_to_where_the_person_wanted_to_go_under_a_new_id(make: Make, clock: SetClock) -> None:
    aida = make.account()
    make.enrol(aida)
    browser = Browser(make)
    browser.get("/device")
    half_in(make, aida, browser)
    before = browser.session_cookie()
    assert 'autocomplete="one-time-code" inputmode="numeric"' in browser.get("/second-factor").text
    refused = browser.submit("/second-factor", {"code": "12345"})
    assert (refused.status_code, "This code is not right, or was used before" in refused.text) == (401, True)
    answer = browser.submit("/second-factor", {"code": pyotp.TOTP(SEED).at(clock.now())})
    assert browser.get(answer.headers["Location"]).headers["Location"] == "/device"
    assert browser.session_cookie() != before
    assert browser.get("/second-factor", follow_redirects=True).request.path == "/account"


def test_the_fourth_wrong_code_says_that_the_login_is_locked_and_ends_the_session(make: Make) -> None:
    aida = make.account()
    make.enrol(aida)
    browser = half_in(make, aida)
    answers = [browser.submit("/second-factor", {"code": "wrong"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert "This login is locked" in answers[-1].text
    assert browser.get("/second-factor", follow_redirects=True).request.path == "/sign-in"


def test_a_person_enrols_and_signs_in_with_it(make: Make, app: Flask, clock: SetClock) -> None:
    aida, browser = make.account(), Browser(make)
    browser.sign_in(aida)
    before = browser.session_cookie()
    seed, codes = enrol(make, browser)
    assert len(set(codes)) == 10
    assert browser.session_cookie() != before
    assert "10 codes are left" in browser.get("/account/factors").text
    used = half_in(make, aida)
    code = pyotp.TOTP(seed).at(clock.now())
    assert used.submit("/second-factor", {"code": code}).status_code == 401, "it confirmed the authenticator"
    assert used.submit("/second-factor", {"code": codes[0].lower()}).status_code == 303
    assert used.get("/account").status_code == 200
    trail = _told(app, sa.select(AuditRecord.act, AuditRecord.before, AuditRecord.after))
    assert seed not in trail
    assert not any(secret in trail for code in codes for secret in (code, code.replace("-", "")))
    assert _told(app, sa.select(Message.template)).count("factors_changed") == 2


def test_naming_and_removing(make: Make, app: Flask) -> None:
    aida, browser = make.account(), Browser(make)
    browser.sign_in(aida)
    enrol(make, browser)
    with app.app_context():
        factor = db.session.scalars(sa.select(Factor.id)).one()
        db.session.remove()
    page, at = "/account/factors", f"/account/factors/{factor}"
    assert browser.get(at).status_code == 404, "a seed is not shown again"
    browser.submit(f"{at}/name", {"name": " My  <b>phone "}, page)
    assert "<h3>My &lt;b&gt;phone</h3>" in browser.get(page).text
    stranger = Browser(make)
    stranger.sign_in(make.account("kanat"))
    assert stranger.submit(f"{at}/remove", {}, page).status_code == 404
    assert browser.submit(f"{at}/remove", {}, page).status_code == 303
    assert "You have none yet." in browser.get(page).text
    half_in(make, aida)
    assert half_in(make, aida).get("/account").status_code == 200


def test_a_wrong_code_confirms_nothing(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.account())
    page = browser.submit("/account/factors", {"name": "Phone"}).headers["Location"]
    answer = browser.submit(page, {"code": "wrong"})
    assert (answer.status_code, "This code is not right" in answer.text) == (422, True)
    assert "You have none yet." in browser.get("/account/factors").text


def test_changes_need_a_fresh_proof_at_the_strongest_level_and_lead_back(make: Make, clock: SetClock) -> None:
    aida, browser = make.account(), Browser(make)
    make.enrol(aida)
    browser.sign_in(aida)
    form = browser.form("/account/factors")
    clock.advance(minutes=5, seconds=1)
    answer = browser.post("/account/factors/recovery-codes", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?again=")
    page = browser.get("/account/factors", follow_redirects=True)
    assert "prove once more that it is you" in page.text
    assert 'value="aida"' in page.text
    browser.submit("/sign-in", {"login": "aida", "password": aida.password}, page="/sign-in?again=")
    assert browser.get("/account/factors", follow_redirects=True).request.path == "/second-factor"
    answer = browser.submit("/second-factor", {"code": aida.recovery_codes.pop()})
    assert browser.get("/continue").headers["Location"] == "/account/factors"
    assert browser.get("/account/factors").status_code == 200


def test_a_password_is_changed_only_by_who_gives_the_second_factor_as_well(make: Make, clock: SetClock) -> None:
    aida, browser = make.account(), Browser(make)
    make.enrol(aida)
    browser.sign_in(aida)
    form = browser.form("/account/password") | {"present": aida.password, "password": "Kumbez, 9 Tash", "again": ""}
    clock.advance(minutes=5, seconds=1)
    for answer in (browser.get("/account/password"), browser.post("/account/password", data=form)):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?again=")
    browser.submit("/sign-in", {"login": "aida", "password": aida.password}, page="/sign-in?again=")
    assert browser.get("/account/password", follow_redirects=True).request.path == "/second-factor"
    browser.submit("/second-factor", {"code": aida.recovery_codes.pop()})
    assert browser.get("/continue").headers["Location"] == "/account/password"
    assert browser.get("/account/password").status_code == 200


@pytest.mark.parametrize("role", ["officer", "hr", "security", "admin"])
def test_who_acts_for_others_enrols_before_anything_opens(make: Make, app: Flask, role: str) -> None:
    someone = make.officer(role=role)
    with app.app_context():
        db.session.execute(sa.delete(Factor))
        db.session.commit()
    browser = half_in(make, someone)
    for path in ("/account", "/desk", "/continue"):
        answer = browser.get(path, follow_redirects=True)
        assert answer.request.path == "/account/factors"
        assert "your duties or the system you came from require it" in answer.text
    enrol(make, browser)
    assert browser.get("/account").status_code == 200


def test_an_officer_removes_a_lost_factor_on_the_desk(make: Make) -> None:
    aida, browser = make.account(), Browser(make)
    make.enrol(aida)
    browser.sign_in(make.officer())
    fields: dict[str, Any] = {"login": "Aida", "reason": ""}
    assert browser.submit("/desk/factors/reset", fields, "/desk").status_code == 422
    assert browser.submit("/desk/factors/reset", fields | {"login": "nobody"}, "/desk").status_code == 404
    assert browser.submit("/desk/factors/reset", fields | {"login": "bakyt", "reason": "x"}, "/desk").status_code == 404
    assert browser.submit("/desk/factors/reset", fields | {"reason": "passport"}, "/desk").status_code == 303
    assert "the person has been told by e-mail" in browser.get("/desk").text
    assert half_in(make, aida).get("/account").status_code == 200


def _told(app: Flask, statement: sa.Select[Any]) -> str:
    with app.app_context():
        told = str(list(db.session.execute(statement)))
        db.session.remove()
        return told
