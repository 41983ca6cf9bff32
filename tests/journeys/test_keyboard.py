"""Whole journeys without a mouse (WCAG 2.1.1, 2.4.3, 2.4.7)."""

from playwright.sync_api import expect

from tests.builders import PASSWORD
from tests.idp.recovery import NEW, mails, work
from tests.journeys.conftest import Browse
from tests.journeys.keyboard import Keyboard
from tests.journeys.scene import Scene

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
