"""An administrator registers a system on a page, and people sign in to it with what the page showed."""

from playwright.sync_api import expect

from idp.flows.signing_keys import ensure_signing_keys
from tests.journeys.conftest import Browse
from tests.journeys.relying_party import relying_party
from tests.journeys.scene import Scene, sign_in


def test_a_system_registered_on_a_page_signs_people_in(scene: Scene, browse: Browse) -> None:
    with scene.act() as here:
        ensure_signing_keys(here)
    with relying_party() as unet:
        page = browse(java_script_enabled=False)
        sign_in(page, scene.make.officer("admin", role="admin", department=None))
        page.click("text=Clients")
        page.click("text=Register a client")
        page.fill("#client_name", "Timetable")
        page.select_option("#system", "moodle")
        page.fill("#redirect_uris", unet.callback)
        page.click("#client .btn-primary")
        expect(page.locator(".note.good")).to_contain_text("The client is registered.")
        client_id, secret = (page.locator(f"#{what}").inner_text() for what in ("client_id", "client_secret"))
        page.click("text=To the client")
        expect(page.locator("#redirect_uris")).to_have_value(unet.callback)
        assert secret not in page.content()

        visitor = browse()
        visitor.goto(unet.sign_in_url(scene.base, client_id))
        sign_in(visitor, scene.make.account(systems=("moodle",)))
        expect(visitor.locator("h1")).to_have_text("/callback")
        assert unet.redeem(scene.base, client_id, secret)["aud"] == client_id
