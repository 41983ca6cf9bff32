"""A television, and the person in front of it with a browser without JavaScript."""

from playwright.sync_api import expect

from idp.flows.signing_keys import ensure_signing_keys
from tests.journeys.conftest import Browse
from tests.journeys.devices import poll, television
from tests.journeys.scene import Scene, sign_in


def test_the_person_types_the_code_and_the_television_goes_on_by_itself(scene: Scene, browse: Browse) -> None:
    with scene.act() as here:
        ensure_signing_keys(here)
    device, page = television(scene), browse(java_script_enabled=False)
    assert poll(scene, device)["error"] == "authorization_pending"
    page.goto(device["verification_uri_complete"])
    sign_in(page, scene.make.account())
    expect(page.locator("#user_code")).to_have_value(device["user_code"])
    page.click("#continue")
    expect(page.locator("#code_shown")).to_have_text(device["user_code"])
    expect(page.locator(".rights li")).to_have_count(4)
    page.click("#allow")
    expect(page.locator("#allowed")).to_contain_text("Television")
    assert poll(scene, device).keys() >= {"access_token", "id_token"}


def test_who_denies_it_gives_nothing(scene: Scene, browse: Browse) -> None:
    device, page = television(scene), browse(java_script_enabled=False)
    page.goto(device["verification_uri"])
    sign_in(page, scene.make.account())
    page.fill("#user_code", device["user_code"].replace("-", " ").lower())
    page.click("#continue")
    page.click("#deny")
    expect(page.locator("#denied")).to_be_visible()
    assert poll(scene, device)["error"] == "access_denied"
