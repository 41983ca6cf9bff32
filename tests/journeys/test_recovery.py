"""From «Forgotten the password?» on the sign-in page to signing in with the new one; and changing it later on."""

import pytest
from playwright.sync_api import expect

from tests.builders import PASSWORD
from tests.conftest import DATABASES
from tests.idp.recovery import NEW, mails, work
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in

on_both = pytest.mark.parametrize("database_url", DATABASES, indirect=True)


@on_both
def test_a_forgotten_password_without_javascript(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account()
    page, elsewhere = browse(java_script_enabled=False), browse()
    sign_in(elsewhere, aida)
    page.goto("/sign-in?lang=en")
    page.click("#forgotten-password")
    page.fill("#entered", "Aida@example.org")
    send(page)
    expect(page.locator("h1")).to_have_text("Look into your mail")

    work(scene.make)
    page.goto(mails(scene.make)[0].link)
    expect(page.locator("#login")).to_have_value("aida")
    page.fill("#password", "aaa")
    page.fill("#again", "aab")
    send(page)
    expect(page.locator("#refusal li")).to_have_count(6)
    page.fill("#password", NEW)
    page.fill("#again", NEW)
    send(page)
    expect(page.locator("h1")).to_have_text("Your password is set")
    page.click("main a.btn-primary")
    sign_in(page, aida, PASSWORD)
    expect(page.locator("#refusal")).to_contain_text("The login or the password is not right")
    sign_in(page, aida, NEW)
    expect(page).to_have_url(f"{scene.base}/account")

    elsewhere.goto("/account")
    expect(elsewhere.locator("#sign-in")).to_be_visible()  # every session of before has ended


def test_a_forgotten_login_comes_by_mail(scene: Scene, browse: Browse) -> None:
    scene.make.account()
    page = browse()
    page.goto("/sign-in?lang=en")
    page.click("#forgotten-login")
    page.fill("#entered", "aida@example.org")
    send(page)
    expect(page.locator("h1")).to_have_text("Look into your mail")
    work(scene.make)
    assert [mail.template for mail in mails(scene.make)] == ["login-reminder"]


def test_the_password_is_changed_from_the_account_page(scene: Scene, browse: Browse) -> None:
    aida, page = scene.make.account(), browse()
    sign_in(page, aida)
    scene.make.clock.advance(minutes=5)
    page.goto("/account?lang=en")
    page.click("#change-password")
    page.fill("#present", aida.password)
    page.fill("#password", NEW)
    page.fill("#again", NEW)
    send(page)
    expect(page.locator("main .note.good")).to_contain_text("The password is changed.")
    page.click("#header-sign-out")
    sign_in(page, aida, NEW)
    expect(page).to_have_url(f"{scene.base}/account")
