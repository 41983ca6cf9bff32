"""Coming from a system and going back to it: the whole code flow through Chromium, its form-action rule included."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import DATABASES
from tests.journeys.conftest import Browse
from tests.journeys.relying_party import RelyingParty, relying_party
from tests.journeys.scene import Scene, send, sign_in

on_both = pytest.mark.parametrize("database_url", DATABASES, indirect=True)


@pytest.fixture
def unet() -> Iterator[RelyingParty]:
    with relying_party() as party:
        yield party


@on_both
def test_from_a_system_through_sign_in_and_agreement_back_to_it(
    scene: Scene, browse: Browse, unet: RelyingParty
) -> None:
    aida = scene.make.account(accepted=False)
    client_id, secret = scene.client(unet.callback, system="unet")
    page = browse()
    page.goto(unet.sign_in_url(scene.base, client_id, ui_locales="ru", login_hint="aida"))
    expect(page.locator(".lead-in")).to_have_text("чтобы перейти в систему UNET")
    expect(page.locator("#login")).to_have_value("aida")
    page.click("text=English")
    sign_in(page, aida, "wrong")
    page.click("text=Русский")  # the answer to a form keeps what it was for
    expect(page.locator(".lead-in")).to_have_text("чтобы перейти в систему UNET")
    sign_in(page, aida)
    for _ in range(2):  # the user agreement, and of an employee the consent to electronic HR documents
        page.check("#accept")
        send(page)
    expect(page.locator("h1")).to_have_text("/callback")
    assert unet.answers[-1]["state"] == "s-1"
    assert unet.redeem(scene.base, client_id, secret)["sub"] == aida.sub

    page.goto(unet.sign_in_url(scene.base, client_id))
    expect(page.locator("h1")).to_have_text("/callback")  # once signed in, nothing is asked again


def test_without_the_agreement_in_between_the_sign_in_form_leads_to_the_client(
    scene: Scene, browse: Browse, unet: RelyingParty
) -> None:
    client_id, _ = scene.client(unet.callback)
    page = browse(java_script_enabled=False)
    page.goto(unet.sign_in_url(scene.base, client_id))
    sign_in(page, scene.make.account())
    expect(page.locator("h1")).to_have_text("/callback")


def test_who_lacks_the_system_is_told_so_and_whom_to_turn_to(scene: Scene, browse: Browse, unet: RelyingParty) -> None:
    scene.make.officer("bakyt", family="Образцов")
    client_id, _ = scene.client(unet.callback, name="1C", system="1c")
    page = browse()
    page.goto(f"{scene.base}/sign-in?lang=en")
    page.goto(unet.sign_in_url(scene.base, client_id))
    sign_in(page, scene.make.account())
    expect(page.locator("h1")).to_have_text("No access to 1C")
    expect(page.locator("main .rows")).to_contain_text("bakyt@kstu.kg")
    assert unet.answers == []


def test_a_request_that_waited_too_long_says_what_to_do(scene: Scene, browse: Browse, unet: RelyingParty) -> None:
    aida = scene.make.account()
    client_id, _ = scene.client(unet.callback)
    page = browse()
    page.goto(unet.sign_in_url(scene.base, client_id))
    scene.make.clock.advance(hours=2)
    sign_in(page, aida)
    expect(page.locator("h1")).to_have_text("This sign-in has run out")


def test_a_system_that_wants_a_fresh_sign_in_gets_one_for_the_same_person(
    scene: Scene, browse: Browse, unet: RelyingParty
) -> None:
    aida = scene.make.account()
    client_id, secret = scene.client(unet.callback)
    page = browse()
    sign_in(page, aida)
    scene.make.clock.advance(minutes=10)
    page.goto(unet.sign_in_url(scene.base, client_id, prompt="login"))
    expect(page.locator("#login")).to_have_value("aida")
    page.fill("#password", aida.password)
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_have_text("/callback")
    assert unet.redeem(scene.base, client_id, secret)["auth_time"] == scene.make.clock.now().timestamp()


def test_signing_out_at_a_systems_wish_ends_at_the_system(scene: Scene, browse: Browse, unet: RelyingParty) -> None:
    aida = scene.make.account()
    client_id, _ = scene.client(unet.callback, post_logout_redirect_uris=[unet.bye])
    page = browse()
    sign_in(page, aida)
    page.goto(f"{scene.base}/oauth/logout?client_id={client_id}&post_logout_redirect_uri={unet.bye}&state=x")
    expect(page.locator("h1")).to_have_text("Sign out?")
    page.click("main form button.btn-primary")
    expect(page).to_have_url(f"{unet.bye}?state=x")
    page.goto(f"{scene.base}/account")
    expect(page.locator("#password")).to_be_visible()
