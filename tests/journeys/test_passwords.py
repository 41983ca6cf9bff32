"""Choosing a password in Chromium: the rules turn as one types, a passphrase is suggested, and all of it without scripts."""

from playwright.sync_api import expect

from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in


def test_rules_are_marked_while_typing_and_the_strength_is_told_in_words(scene: Scene, browse: Browse) -> None:
    page = browse()
    sign_in(page, scene.make.account())
    page.goto("/account/password")
    rule = page.locator("[data-rule=no-digit]")
    page.locator("#password").press_sequentially("tolkun")
    expect(rule).to_have_class("open")
    expect(rule).to_contain_text("not yet")
    expect(page.locator("#strength")).to_contain_text("weak")
    page.locator("#password").press_sequentially("-Ala7 Archa")
    expect(rule).to_have_class("kept")
    expect(page.locator("[data-rule].open")).to_have_count(0)
    expect(page.locator("#strength")).to_contain_text("very strong")
    expect(page.locator("[data-rule=used-before]")).to_have_class("")
    page.fill("#password", "")
    expect(page.locator("#strength")).to_be_hidden()


def test_a_suggested_passphrase_is_filled_in_by_keyboard_and_works(scene: Scene, browse: Browse) -> None:
    page, aida = browse(), scene.make.account()
    sign_in(page, aida)
    page.goto("/account/password")
    page.locator("#suggest-passphrase").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#suggestion")).to_be_focused()
    expect(page.locator("button[data-fill]")).to_be_visible()  # the script of the new page is there
    suggested = page.locator("#suggested").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#again")).to_have_value(suggested)
    expect(page.locator("#continue")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.base}/account")
    send(page, "#header-sign-out")
    sign_in(page, aida, suggested)
    expect(page).to_have_url(f"{scene.base}/account")


def test_without_scripts_a_passphrase_is_suggested_all_the_same(scene: Scene, browse: Browse) -> None:
    scene.hire(1)
    page = browse(java_script_enabled=False)
    page.goto(scene.invite(scene.newcomers()[0]) + "?lang=en")
    send(page, "#suggest-passphrase")
    suggested = page.locator("#suggested").inner_text()
    page.fill("#password", suggested)
    page.fill("#again", suggested)
    send(page, "#continue")
    expect(page.locator("h1")).to_have_text("Your password is set")
