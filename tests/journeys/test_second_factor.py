"""A second factor from enrolling it to signing in with it, without JavaScript."""

import pyotp
from playwright.sync_api import Page, expect

from tests.builders import Someone
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in


def test_enrol_sign_out_sign_in_with_a_code_and_with_a_recovery_code(scene: Scene, browse: Browse) -> None:
    page, aida = browse(java_script_enabled=False), scene.make.account()
    sign_in(page, aida)
    send(page, "#factors")
    page.fill("#name", "Phone")
    send(page, "#add button")
    picture = page.locator("main img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100"), "the policy lets it be seen"
    seed = page.locator("#seed").inner_text().replace(" ", "")
    page.fill("#code", pyotp.TOTP(seed).at(scene.make.clock.now()))
    send(page)
    recovery_code = page.locator("#codes li").first.inner_text()
    send(page, "#continue")
    expect(page).to_have_url(f"{scene.base}/account")

    scene.make.clock.advance(seconds=60)
    for code in (pyotp.TOTP(seed).at(scene.make.clock.now()), recovery_code):
        _sign_in_again(page, aida)
        expect(page.locator("#code")).to_be_focused()
        page.fill("#code", code)
        send(page)
        expect(page).to_have_url(f"{scene.base}/account")
    _sign_in_again(page, aida)
    page.fill("#code", recovery_code)
    send(page)
    expect(page.locator("#refusal")).to_contain_text("was used before")


def _sign_in_again(page: Page, someone: Someone) -> None:
    send(page, "header form button")
    sign_in(page, someone)
