"""Consent in a real browser, and answers that travel in a form (Form Post Response Mode)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Browse
from tests.journeys.relying_party import RelyingParty, relying_party
from tests.journeys.scene import Scene, send, sign_in


@pytest.fixture
def rooms() -> Iterator[RelyingParty]:
    with relying_party() as party:
        yield party


@pytest.mark.parametrize("scripts", [True, False], ids=["by itself", "by the button"])
def test_the_answer_is_posted_to_the_client_by_itself_or_by_the_button(
    scene: Scene, browse: Browse, rooms: RelyingParty, scripts: bool
) -> None:
    client_id, secret = scene.client(rooms.callback, name="Rooms", first_party=False)
    aida, page = scene.make.account(), browse(java_script_enabled=scripts)
    page.goto("/sign-in?lang=en")
    page.goto(rooms.sign_in_url(scene.base, client_id, response_mode="form_post"))
    sign_in(page, aida)
    expect(page.locator("h1")).to_have_text("Rooms asks for your permission")
    send(page, "#allow")
    if not scripts:
        expect(page.locator("h1")).to_have_text("Back to where you came from")
        send(page, "#continue")
    expect(page.locator("h1")).to_have_text("/callback")
    assert (rooms.answers[-1]["state"], rooms.answers[-1]["iss"]) == ("s-1", scene.base)
    assert rooms.redeem(scene.base, client_id, secret)["sub"] == aida.sub


def test_who_does_not_allow_it_goes_back_and_the_system_hears_it(
    scene: Scene, browse: Browse, rooms: RelyingParty
) -> None:
    client_id, _ = scene.client(rooms.callback, name="Rooms", first_party=False)
    page = browse()
    page.goto(rooms.sign_in_url(scene.base, client_id))
    sign_in(page, scene.make.account())
    send(page, "#deny")
    expect(page.locator("h1")).to_have_text("/callback")
    assert rooms.answers[-1]["error"] == "access_denied"


def test_who_lacks_the_system_goes_back_to_it_by_the_button(scene: Scene, browse: Browse, rooms: RelyingParty) -> None:
    client_id, _ = scene.client(rooms.callback, name="1C", system="1c")
    page = browse()
    page.goto(rooms.sign_in_url(scene.base, client_id))
    sign_in(page, scene.make.account())
    send(page, "#continue")
    expect(page.locator("h1")).to_have_text("/callback")
    assert rooms.answers[-1]["error"] == "access_denied"
