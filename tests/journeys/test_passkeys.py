"""Passkeys in Chromium with a virtual authenticator: adding one, signing in with it, alone and after the password."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from idp.settings import Settings
from tests.builders import Make, Someone, settings_for
from tests.idp.recovery import NEW, mails, work
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in
from tests.postgres import free_port

DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
          "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A relying party is a name, never an address."""
    return settings_for(database_url, base_url=f"http://localhost:{free_port()}")


class Device:
    """The virtual authenticator of one page; `touched` says whether somebody lays a finger on it by itself."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable", {"enableUI": False})
        self._id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def touched(self, enabled: bool) -> None:
        self._do("setAutomaticPresenceSimulation", enabled=enabled)

    def forget(self) -> None:
        self._do("clearCredentials")

    def _do(self, act: str, **more: Any) -> None:
        self._cdp.send(f"WebAuthn.{act}", {"authenticatorId": self._id, **more})


def enrol(page: Page, someone: Someone) -> Device:
    """Sign in, add a passkey by the keyboard alone, sign out; nobody touches the device from then on."""
    device = Device(page)
    sign_in(page, someone)
    page.goto("/account/factors")
    page.locator("#passkey-name").focus()
    page.keyboard.type("This computer")
    page.keyboard.press("Enter")
    expect(page.locator("#codes li")).to_have_count(10)
    device.touched(False)
    page.goto("/account/factors")
    expect(page.locator("main h3")).to_have_text("This computer")
    send(page, "#header-sign-out")
    return device


def test_the_field_for_the_login_suggests_the_passkey_and_nothing_is_typed(scene: Scene, browse: Browse) -> None:
    page = browse()
    enrol(page, scene.make.account()).touched(True)
    page.goto("/sign-in?lang=en")
    expect(page).to_have_url(f"{scene.base}/account")


def test_the_button_signs_in_by_keyboard_in_a_browser_that_suggests_nothing(scene: Scene, browse: Browse) -> None:
    page = browse()
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    enrol(page, scene.make.account()).touched(True)
    page.goto("/sign-in?lang=en")
    page.locator("#use-passkey").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.base}/account")


def test_after_the_password_the_passkey_is_the_second_factor(scene: Scene, browse: Browse) -> None:
    page, aida = browse(), scene.make.account()
    device = enrol(page, aida)
    sign_in(page, aida)
    expect(page.locator("h1")).to_have_text("Second factor")
    device.touched(True)
    page.locator("#use-passkey").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.base}/account")


def test_who_has_no_passkey_at_hand_is_told_so_and_goes_another_way(scene: Scene, browse: Browse) -> None:
    page, aida = browse(), scene.make.account()
    device = enrol(page, aida)
    device.forget()
    device.touched(True)
    sign_in(page, aida)
    page.click("#use-passkey")
    failure = page.locator("[data-failure]")
    expect(failure).to_be_focused()
    expect(failure).to_contain_text("The passkey was not used")
    expect(page.locator("#code")).to_be_visible()


def test_a_reset_takes_the_passkey_in_place_of_a_code(scene: Scene, browse: Browse, make: Make) -> None:
    page, aida = browse(), scene.make.account()
    device = enrol(page, aida)
    page.goto("/forgotten-password?lang=en")
    page.fill("#entered", "aida")
    send(page)
    work(make)
    page.goto(next(mail.link for mail in mails(make) if mail.template == "password-reset"))
    page.fill("#password", NEW)
    page.fill("#again", NEW)
    device.touched(True)
    page.click("#use-passkey")
    expect(page.locator("h1")).to_have_text("Your password is set")


def test_without_javascript_nothing_of_passkeys_is_seen(scene: Scene, browse: Browse) -> None:
    page = browse(java_script_enabled=False)
    page.goto("/sign-in?lang=en")
    expect(page.locator("#passkey-form")).to_be_hidden()
