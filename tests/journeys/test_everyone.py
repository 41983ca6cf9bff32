"""For everyone: by keyboard, without JavaScript, in three languages, on a small phone, in the dark."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, sign_in


def test_signing_in_and_out_by_keyboard_alone(scene: Scene, browse: Browse) -> None:
    aida = scene.make.account()
    page = browse()
    page.goto("/sign-in?lang=en")
    page.keyboard.type(aida.login)  # the field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_be_focused()  # a screen reader begins with what went wrong
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # «Enter the password again» leads to the field
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(aida.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{scene.base}/account")

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("header form button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("You are signed out")


def test_every_focus_can_be_seen(scene: Scene, browse: Browse) -> None:
    page = browse()
    page.goto("/sign-in?lang=en")
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate("""() => {
            const look = getComputedStyle(document.activeElement);
            return document.activeElement === document.body || look.outlineStyle !== 'none';
        }""")


def test_signing_in_and_out_without_javascript(scene: Scene, browse: Browse) -> None:
    page = browse(java_script_enabled=False)
    sign_in(page, scene.make.account())
    expect(page).to_have_url(f"{scene.base}/account")
    page.click("header form button")
    expect(page.locator("h1")).to_have_text("You are signed out")


def test_a_password_can_be_shown_and_is_sent_hidden(scene: Scene, browse: Browse) -> None:
    page = browse()
    page.goto("/sign-in?lang=en")
    page.fill("#password", "secret")
    page.click("text=Show")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.click("text=Hide")
    expect(page.locator("#password")).to_have_attribute("type", "password")


@pytest.mark.parametrize(("locale", "language"), [("ky-KG", "ky"), ("ru-RU", "ru"), ("en-GB", "en"), ("de-DE", "ky")])
def test_the_first_page_speaks_the_browsers_language(scene: Scene, browse: Browse, locale: str, language: str) -> None:
    page = browse(locale=locale)
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_a_chosen_language_stays_through_sign_in_refusals_and_sign_out(scene: Scene, browse: Browse) -> None:
    bakyt = scene.make.officer("bakyt")
    scene.make.account()
    scene.lock("aida")
    page = browse()
    page.goto("/sign-in")
    page.click("text=Русский")
    sign_in(page, bakyt)
    expect(page.locator("html")).to_have_attribute("lang", "ru")  # the account's language is Kyrgyz
    page.goto("/desk")
    page.fill("input[name=reason]", " ")
    page.click("#lockouts ~ ul button")
    expect(page.locator("#refusal")).to_be_visible()
    page.click("text=Кыргызча")
    expect(page).to_have_url(f"{scene.base}/desk?lang=ky")  # the answer to a form has its page at the desk
    page.click("header form button")
    expect(page.locator("html")).to_have_attribute("lang", "ky")


def test_without_a_choice_the_accounts_language_counts_and_goes_with_its_person(scene: Scene, browse: Browse) -> None:
    page = browse(locale="ru")
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    sign_in(page, scene.make.account())
    expect(page.locator("html")).to_have_attribute("lang", "ky")
    page.click("header form button")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
