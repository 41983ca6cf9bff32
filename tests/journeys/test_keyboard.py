"""Whole journeys without a mouse (WCAG 2.1.1, 2.4.3, 2.4.7)."""

import pyotp
import sqlalchemy as sa
from playwright.sync_api import expect

from idp.db import db
from idp.flows.misuse_link import misuse_link
from idp.models import Account
from tests.builders import PASSWORD, SEED
from tests.idp.recovery import NEW, mails, work
from tests.journeys.conftest import Browse
from tests.journeys.keyboard import Keyboard
from tests.journeys.scene import Scene, sign_in

GOOD = "Ысык-Көл 2026 tolkun"


def test_wrong_then_right_then_out(scene: Scene, browse: Browse) -> None:
    scene.make.account()
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    expect(page.locator("#login")).to_be_focused()
    keys.type("#login", "aida")
    keys.type("#password", "wrong")
    keys.press("#sign-in")
    expect(page.locator("#refusal")).to_be_focused()
    keys.type("#password", PASSWORD)
    keys.press("#sign-in")
    expect(page).to_have_url(f"{scene.base}/account")
    keys.reach(".skip")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.goto("/account")
    keys.press("#header-sign-out")
    expect(page.locator("h1")).to_contain_text("signed out")


def test_the_first_day(scene: Scene, browse: Browse) -> None:
    scene.hire(1)
    page = browse()
    page.goto(scene.invite(scene.newcomers()[0]) + "?lang=en")
    keys = Keyboard(page)
    keys.type("#password", "aaa")
    keys.type("#again", "aaa")
    keys.press("#continue")
    expect(page.locator("#refusal")).to_be_focused()
    keys.type("#password", GOOD)
    keys.type("#again", GOOD)
    keys.press("#continue")
    expect(page.locator("h1")).to_have_text("Your password is set")


def test_a_forgotten_password(scene: Scene, browse: Browse) -> None:
    scene.make.account()
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    keys.press("#forgotten-password")
    keys.type("#entered", "aida")
    keys.press("main form button.btn-primary")
    work(scene.make)
    page.goto(mails(scene.make)[0].link)
    keys.type("#password", NEW)
    keys.type("#again", NEW)
    keys.press("#continue")
    expect(page.locator("h1")).to_have_text("Your password is set")


def test_an_officer_lifts_two_locks_at_once(scene: Scene, browse: Browse) -> None:
    for login in ("aida", "bermet"):
        scene.make.account(login)
        scene.lock(login)
    bakyt = scene.make.officer()
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    keys.type("#login", bakyt.login)
    keys.type("#password", bakyt.password)
    keys.press("#sign-in")
    keys.type("#code", bakyt.recovery_codes.pop())
    keys.press("#continue")
    page.goto("/desk")
    for place in range(2):
        keys.tick(f"#lockouts ~ ul li:nth-child({place + 1}) input[name=account]")
    keys.type("#several-reason", "the attack is over")
    keys.press("#lift-several button")
    expect(page.locator(".note.good")).to_contain_text("The locks are lifted")


def test_back_with_shift_goes_the_same_way(scene: Scene, browse: Browse) -> None:
    page = browse()
    page.goto("/sign-in?lang=en")
    fields = ["password", "sign-in", "have-slip", "forgotten-password", "forgotten-login"]
    keys = Keyboard(page)
    expect(page.locator("#login")).to_be_focused()
    assert [one for one in keys.stops("Tab", "forgotten-login") if one in fields] == fields
    assert [one for one in keys.stops("Shift+Tab", "login") if one in fields] == fields[-2::-1]


def test_a_code_that_is_wrong_then_right(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account()
    scene.make.enrol(aida)
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    keys.type("#login", "aida")
    keys.type("#password", PASSWORD)
    keys.press("#sign-in")
    expect(page.locator("#code")).to_be_focused()
    keys.type("#code", "000000")
    keys.press("#continue")
    expect(page.locator("#refusal")).to_be_focused()
    keys.type("#code", pyotp.TOTP(SEED).at(scene.make.clock.now()))
    keys.press("#continue")
    expect(page).to_have_url(f"{scene.base}/account")


def test_who_is_locked_out_hears_whom_to_turn_to(scene: Scene, browse: Browse) -> None:
    scene.make.account()
    scene.phone(scene.make.officer("bakyt", role="admin", department=None), "+996 312 000 001")
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    for number in range(4):
        keys.type("#login", "aida")
        keys.type("#password", f"wrong-{number}")
        keys.press("#sign-in")
    expect(page.locator("#refusal")).to_be_focused()
    expect(page.locator("#refusal")).to_contain_text("This login is locked")
    keys.reach("#refusal a[href^='tel:'], #refusal a[href^='mailto:']")


def test_misuse_is_reported_from_the_mail(scene: Scene, browse: Browse) -> None:
    scene.make.account()
    scene.make.enrol(scene.make.account("bermet"))
    page = browse()
    for login in ("aida", "bermet"):
        with scene.act() as here:
            account = db.session.scalars(sa.select(Account).where(Account.login == login)).one()
            link = misuse_link(here, account.id)
        page.goto(f"{link}?lang=en")
        keys = Keyboard(page)
        keys.type("#told", "It was not me")
        keys.press("main form button.btn-primary")
        expect(page.locator("#reported")).to_be_visible()


def test_sessions_are_ended_one_and_then_all_others(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account()
    page, *others = (browse() for _ in range(4))
    for one in (page, *others):
        sign_in(one, aida)
    page.goto("/account/sessions")
    keys, open_ones = Keyboard(page), page.locator("#sessions ~ ul > li")
    expect(open_ones).to_have_count(4)
    keys.press("#sessions ~ ul form button")
    expect(open_ones).to_have_count(3)
    keys.press("#end-others button")
    expect(open_ones).to_have_count(1)


def test_the_agreement_of_the_first_sign_in(scene: Scene, browse: Browse) -> None:
    newcomer = scene.make.account("cholpon", accepted=False)
    page = browse()
    page.goto("/sign-in?lang=en")
    keys = Keyboard(page)
    keys.type("#login", newcomer.login)
    keys.type("#password", newcomer.password)
    keys.press("#sign-in")
    for _ in range(3):
        if "/agreement" in page.url:
            keys.tick("#accept")
            keys.press("#continue")
    expect(page).to_have_url(f"{scene.base}/account")
