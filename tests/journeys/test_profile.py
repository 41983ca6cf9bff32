"""A teacher keeps their own details: a phone that every system follows, a surname that HR confirms, a new address (3.6)."""

import sqlalchemy as sa
from playwright.sync_api import expect

from idp.db import db
from idp.models import Task
from tests.idp.details import CONTACTS
from tests.idp.recovery import mails
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in


def test_a_teacher_changes_the_phone_and_the_systems_are_asked_to_follow(scene: Scene, browse: Browse) -> None:
    aida, bakyt = scene.make.account(systems=("avn", "unet"), **CONTACTS), scene.make.officer("bakyt")
    page = browse(java_script_enabled=False)
    sign_in(page, aida)
    page.click("#profile")
    page.click("#change-contacts")
    page.fill("#work_phone", "0555")
    send(page)
    expect(page.locator("#refusal")).to_contain_text("Write the number with a plus")
    expect(page.locator("#work_phone")).to_have_value("0555")
    page.fill("#work_phone", "+996 555 12-34-56")
    send(page)
    expect(page.locator(".note.good")).to_contain_text("every system follows")
    expect(page.locator("section", has=page.locator("#contacts"))).to_contain_text("+996555123456")

    with scene.act():
        asked = db.session.scalars(sa.select(Task).order_by(Task.system)).all()
        assert [(task.system, task.action, task.status) for task in asked] == [
            ("avn", "change", "manual"), ("unet", "change", "waiting"),
        ]  # fmt: skip
    desk = browse()
    sign_in(desk, bakyt)
    desk.goto("/desk")
    task = desk.locator(".plain > li", has_text="AVN information system")
    task.locator("summary").click()
    expect(task).to_contain_text("+996555123456")


def test_a_surname_waits_for_hr_and_stands_everywhere_once_confirmed(scene: Scene, browse: Browse) -> None:
    aida, hr = scene.make.account(**CONTACTS), scene.make.officer("jyldyz", role="hr", department=None)
    page = browse()
    sign_in(page, aida)
    page.goto("/account/profile")
    page.click("#change-names")
    page.fill("#family", "Мисалова")
    send(page)
    waiting = page.locator("section", has=page.locator("#waiting"))
    expect(waiting).to_contain_text("Waits for HR")
    expect(page.locator("section", has=page.locator("#names"))).to_contain_text("Үлгүбаева")

    office = browse()
    sign_in(office, hr)
    office.click("text=Requests for changes")
    expect(office.locator("section", has=office.locator("#changes"))).to_contain_text("Мисалова")
    send(office)
    expect(office.locator(".note.good")).to_contain_text("Confirmed")
    expect(office.locator("section", has=office.locator("#changes"))).to_contain_text("Nobody waits.")

    page.reload()
    expect(waiting).to_have_count(0)
    expect(page.locator("section", has=page.locator("#names"))).to_contain_text("Мисалова")
    page.goto("/account")
    expect(page.locator("h1")).to_contain_text("Мисалова")


def test_a_new_address_is_proved_by_the_link_that_was_mailed_to_it(scene: Scene, browse: Browse) -> None:
    page = browse()
    sign_in(page, scene.make.account(**CONTACTS))
    page.goto("/account/profile/contacts")
    page.fill("#personal_email", "aida@example.net")
    send(page)
    link = next(one.link for one in mails(scene.make) if one.template == "address-proof")
    elsewhere = browse()
    elsewhere.goto(link)  # another browser: the link alone opens nothing
    expect(elsewhere.locator("#login")).to_be_visible()
    page.goto(link)
    send(page)
    expect(page.locator(".note.good")).to_contain_text("counts from now on")
    expect(page.locator("section", has=page.locator("#contacts"))).to_contain_text("aida@example.net")
