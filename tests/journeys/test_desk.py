"""The desk of a responsible officer, and what human resources sees of an order's execution (3.5, 3.7, 5.7)."""

import sqlalchemy as sa
from playwright.sync_api import expect

from idp.db import db
from idp.models import Activation, AuditRecord
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, sign_in


def test_a_lock_is_lifted_with_a_reason_by_the_officer_of_the_department(scene: Scene, browse: Browse) -> None:
    aida, bakyt = scene.make.account(), scene.make.officer("bakyt")
    other = scene.make.officer("cholpon", department="0112")
    scene.lock("aida")

    stranger = browse()
    sign_in(stranger, other)
    stranger.click("text=Desk")
    expect(stranger.locator("section", has=stranger.locator("#lockouts"))).to_contain_text("No login is locked.")

    page = browse(java_script_enabled=False)
    sign_in(page, bakyt)
    page.click("text=Desk")
    row = page.locator("section", has=page.locator("#lockouts")).locator("li")
    expect(row).to_contain_text("aida")
    row.locator("input[name=reason]").fill("   ")
    row.locator("button").click()
    expect(page.locator("#refusal")).to_contain_text("Give the reason for lifting the lock.")
    row.locator("input[name=reason]").fill("came in person with a passport")
    row.locator("button").click()
    expect(page).to_have_url(f"{scene.base}/desk")
    expect(page.locator(".note.good")).to_contain_text("The lock is lifted")

    with scene.act():
        lifted = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "lockout-lifted")).one()
        assert lifted.actor == "account/bakyt"
        assert lifted.after == {"locked": False, "reason": "came in person with a passport"}
    freed = browse()
    sign_in(freed, aida)
    expect(freed).to_have_url(f"{scene.base}/account")


def test_a_task_by_hand_is_confirmed_in_words_and_stands_on_the_execution_sheet(scene: Scene, browse: Browse) -> None:
    order = scene.hire()
    bakyt = scene.make.officer("bakyt")
    page = browse()
    sign_in(page, bakyt)
    page.goto("/desk")
    task = page.locator(".plain > li", has_text="AVN information system")
    count = page.locator(".plain > li").count()
    if not task.locator("input[name=note]").is_visible():
        task.locator("summary").click()
    task.locator("input[name=note]").fill("opened in AVN, group lecturers")
    task.locator("form button").click()
    expect(page.locator(".note.good")).to_contain_text("The task is confirmed.")
    expect(page.locator(".plain > li")).to_have_count(count - 1)

    page = browse()
    sign_in(page, scene.make.officer("jyldyz", role="hr", department=None))
    page.goto(f"/orders/{order}")
    expect(page.locator("h1")).to_have_text("Execution of order 1/101-К")
    row = page.locator("tr", has_text="AVN information system")
    expect(row).to_contain_text("Done in time")
    expect(row).to_contain_text("opened in AVN, group lecturers")
    page.goto("/orders")
    expect(page.locator("tbody tr")).to_contain_text("1/101-К")


def test_a_new_link_goes_to_who_let_the_first_one_pass(scene: Scene, browse: Browse) -> None:
    scene.hire()
    page = browse()
    sign_in(page, scene.make.officer("bakyt"))
    page.goto("/desk")
    page.click("text=Send a new link")
    expect(page.locator(".note.good")).to_contain_text("A new link is on its way.")
    with scene.act():
        links = db.session.scalars(sa.select(Activation).order_by(Activation.issued_at, Activation.id)).all()
        assert links[-1].issued_by == "account/bakyt"
        assert [link.voided_at is None for link in links][:-1] == [False] * (len(links) - 1)


def test_rooms_that_are_not_ones_own_look_like_rooms_that_are_not_there(scene: Scene, browse: Browse) -> None:
    page = browse()
    sign_in(page, scene.make.account())
    expect(page.locator(".rooms a")).to_have_text(["Account"])
    for path in ("/desk", "/orders", "/nowhere"):
        page.goto(path)
        expect(page.locator("h1")).to_have_text("There is nothing here")
