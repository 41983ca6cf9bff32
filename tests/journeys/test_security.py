"""A person watches over their account: two browsers, one ended by the other; a mail's link that locks."""

import json

import sqlalchemy as sa
from playwright.sync_api import expect

from idp.db import db
from idp.models import Message
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in

PHONE = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


def test_of_two_browsers_one_ends_the_other(scene: Scene, browse: Browse) -> None:
    someone = scene.make.account()
    here, phone = browse(), browse(user_agent=PHONE)
    for page in (here, phone):
        sign_in(page, someone)
        expect(page).to_have_url(f"{scene.base}/account")
    send(here, "a[href='/account/sessions']")
    expect(here.locator("#sessions ~ ul > li")).to_have_count(2)
    expect(here.get_by_role("heading", name="Chrome, Android")).to_be_visible()
    send(here, "#sessions ~ ul form button")
    expect(here.locator("#sessions ~ ul > li")).to_have_count(1)
    phone.goto("/account")
    expect(phone.locator("#password")).to_be_visible()
    here.goto("/account/history")
    expect(here.get_by_text("A session was ended")).to_be_visible()


def test_the_link_in_the_mail_about_a_new_device_locks_and_the_security_officer_has_a_case(
    scene: Scene, browse: Browse
) -> None:
    someone = scene.make.account()
    sign_in(browse(), someone)
    thief = browse(user_agent=PHONE)
    sign_in(thief, someone)
    with scene.act():
        mail = db.session.scalars(sa.select(Message).where(Message.template == "new-device")).one()
        assert mail.content is not None
        link = json.loads(scene.make.service.vault.open(mail.content, f"message/{mail.id}"))["misuse_link"]
    reader = browse()
    reader.goto(link)
    thief.goto("/account")
    expect(thief).to_have_url(f"{scene.base}/account")  # looking at the link did nothing
    send(reader)
    expect(reader.locator("#reported")).to_be_visible()
    thief.goto("/account")
    sign_in(thief, someone)
    expect(thief.get_by_text("This login is locked")).to_be_visible()
    officer = browse()
    sign_in(officer, scene.make.officer("turat", role="security", department=None))
    officer.goto("/misuse")
    officer.locator("input[name=result]").fill("A stolen phone; it is back")
    send(officer, "main form.together button")
    expect(officer.get_by_text("A stolen phone; it is back")).to_be_visible()
