"""A newcomer's first day: the link, the password, the agreement, the account, the way out; and what goes wrong."""

import pytest
from playwright.sync_api import expect

from tests.conftest import DATABASES
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, sign_in

on_both = pytest.mark.parametrize("database_url", DATABASES, indirect=True)
GOOD = "Ысык-Көл 2026 tolkun"


@on_both
def test_from_the_link_in_the_mail_to_signing_out(scene: Scene, browse: Browse) -> None:
    scene.hire()
    login = scene.newcomers()[0]
    page = browse()

    page.goto(f"{scene.invite(login)}?lang=en")
    expect(page.locator("#login")).to_have_value(login)
    page.fill("#password", "aaa")
    page.fill("#again", "aab")
    page.click("main form button.btn-primary")
    expect(page.locator("#refusal li")).to_have_text([
        "The password is too short: at least 8 characters are needed.",
        "The password has no digit.",
        "The password has no capital letter.",
        "The password has no special character, such as ! & # $ % * -",
        "The password has the same character twice in a row.",
        "The two entries differ; type the same password twice.",
    ])  # fmt: skip

    page.fill("#password", GOOD)
    page.fill("#again", GOOD)
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_have_text("Your password is set")
    page.click("main a.btn-primary")

    page.fill("#login", login.upper())
    page.fill("#password", GOOD)
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_have_text("User agreement")
    expect(page.locator(".rooms")).to_have_count(0)
    page.goto("/account")
    expect(page.locator("h1")).to_have_text("User agreement")  # nothing opens before it is accepted
    page.check("#accept")
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_have_text("Consent to electronic HR documents")
    page.check("#accept")
    page.click("main form button.btn-primary")
    expect(page).to_have_url(f"{scene.base}/account")
    expect(page.locator("dd.mono")).to_have_text(login)

    page.click("header form button")
    expect(page.locator("h1")).to_have_text("You are signed out")
    page.goto("/account")
    expect(page.locator("#password")).to_be_visible()


def test_a_link_works_once(scene: Scene, browse: Browse) -> None:
    scene.hire()
    link = scene.invite(scene.newcomers()[0])
    page = browse()
    page.goto(link)
    page.goto(link)  # looking does not spend it
    page.fill("#password", GOOD)
    page.fill("#again", GOOD)
    page.click("main form button.btn-primary")
    page.goto(link)
    expect(page.locator("h1")).to_have_text("This link no longer works")


def test_an_agreement_that_is_not_ticked_is_asked_for_again(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account(accepted=False)
    page = browse(java_script_enabled=False)
    sign_in(page, aida)
    page.eval_on_selector("#accept", "field => field.required = false")
    page.click("main form button.btn-primary")
    expect(page.locator("#refusal")).to_contain_text("Tick the box to accept the agreement")


def test_four_wrong_passwords_lock_and_the_page_says_whom_to_turn_to(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account()
    scene.phone(scene.make.officer("bakyt", role="admin", department=None, family="Образцов"), "+996 312 000 001")
    page = browse()
    for _ in range(3):
        sign_in(page, aida, "wrong")
        expect(page.locator("#refusal h2")).to_have_text("The login or the password is not right")
        expect(page.locator("#login")).to_have_value("aida")
    sign_in(page, aida, "wrong")
    expect(page.locator("#refusal h2")).to_have_text("This login is locked")
    expect(page.locator("#refusal a")).to_have_text(["+996 312 000 001", "bakyt@kstu.kg"])
    sign_in(page, aida)
    expect(page.locator("#refusal h2")).to_have_text("This login is locked")  # even the right one
