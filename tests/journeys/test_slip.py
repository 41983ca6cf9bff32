"""The printed slip, from the desk into the hand of the newcomer and to the first password (4.4, 5.1)."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import DATABASES
from tests.idp.paper import text_of
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in

on_both = pytest.mark.parametrize("database_url", DATABASES, indirect=True)
CODE = re.compile(r"(?:[0-9A-Z]{4} ){6}[0-9A-Z]{2}")
GOOD = "Ысык-Көл 2026 tolkun"


def print_slip(page: Page) -> str:
    """Press the button; the code on the sheet, which opens in a window of its own."""
    sheets: list[bytes] = []

    def read_along(route: Route) -> None:
        answer = route.fetch()
        sheets.append(answer.body())
        route.fulfill(response=answer)

    page.context.route("**/slip", read_along)
    with page.context.expect_page(), page.context.expect_event("response", lambda one: one.url.endswith("/slip")):
        page.get_by_role("button", name="Print a slip").click()
    found = CODE.search(text_of(sheets[0]))
    assert found is not None
    return found[0]


@on_both
def test_from_the_desk_to_the_first_password(scene: Scene, browse: Browse) -> None:
    scene.hire()
    desk = browse()
    sign_in(desk, scene.make.officer("bakyt"))
    desk.goto("/desk")
    code = print_slip(desk)
    desk.reload()
    expect(desk.locator("#waiting ~ ul")).to_contain_text("A slip was printed and not handed over yet.")

    page = browse(java_script_enabled=False)
    page.goto("/activation?lang=en")
    page.fill("#code", "0000")
    send(page)
    expect(page.locator("#refusal h2")).to_have_text("This code does not work")
    page.fill("#code", code.lower().replace(" ", "-"))
    send(page)
    expect(page.locator("h1")).to_have_text("The officer has to confirm first")

    desk.get_by_role("button", name="Handed over").click()
    expect(desk.locator(".note.good")).to_contain_text("The hand-over is noted")
    page.click("main a.btn-primary")
    expect(page.locator("#login")).to_have_value(scene.newcomers()[0])
    page.fill("#password", GOOD)
    page.fill("#again", GOOD)
    send(page)
    expect(page.locator("h1")).to_have_text("Your password is set")
    desk.reload()
    expect(desk.locator("section", has=desk.locator("#waiting"))).to_contain_text("Everyone has set a password.")
