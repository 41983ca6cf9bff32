"""Every mail in its HTML form, in three languages, as a mail program shows it on a phone and on a desktop, light and
dark: no barriers, nothing sideways, nothing fetched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

import idp
from idp.db import db
from idp.flows.send_message import send_message
from idp.models import Account, Message
from idp.provisioning.deliver import _compose
from idp.provisioning.workshop import open_workshop
from tests.journeys.album import keep
from tests.journeys.barriers import barriers, each_look
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene

TEMPLATES = sorted(path.stem for path in Path(idp.__file__).parent.glob("templates/mail/[!_]*.txt"))
TOKEN = "k3Jb-" * 8  # about as long as a real one
TOLD = {
    "last_day": "2026-09-09", "minutes": 60, "hours": 24, "locks": 112, "change": "factor-reset-asked", "stage": "asked",
    "moment": "09.09.2026 12:00", "device": "Chrome, Android", "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "new": "a-rather-long-name-of-a-mailbox@department.example.org", "field": "duties", "fields": ["home_address", "family"],
    "reason": "Паспорттун көчүрмөсү жок", "today": 3, "overdue": 112, "escalated": 1, "stuck": 40, "system": "moodle",
}  # fmt: skip


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
def test_every_mail_is_for_everyone(scene: Scene, browse: Browse, axe: str, language: str) -> None:
    page = browse(base_url=None)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    mails = _mails(scene, language)
    assert [name for name, _ in mails] == TEMPLATES
    found = [seen for name, html in mails for seen in _looked_at(page, axe, f"mail-{name}.{language}", html)]
    assert not found, "\n".join(map(str, found))
    assert fetched == []


def _looked_at(page: Page, axe: str, name: str, html: str) -> Iterator[Any]:
    page.set_content(html)
    page.evaluate(axe)
    for look in each_look(page):
        yield from ((name, look, finding) for finding in barriers(page))
        keep(page, f"{name}.{look}")


def _mails(scene: Scene, language: str) -> list[tuple[str, str]]:
    """The name of each mail, and its HTML."""
    aida = scene.make.account()
    scene.phone(scene.make.officer("bakyt", family="Образцов-Жусупбеков", patronymic="Маратович"), "+996 312 000 001")
    links = dict.fromkeys(("link", "misuse_link"), f"{scene.base}/report-misuse/{TOKEN}")
    with scene.act() as here:
        account = db.session.get_one(Account, aida.id)
        account.language = language
        for template in TEMPLATES:
            send_message(here, account, template, template, **TOLD, **links)
    workshop = open_workshop(scene.app)
    with scene.app.app_context():
        queued = db.session.scalars(
            sa.select(Message).where(Message.account_id == aida.id).order_by(Message.template)
        ).all()
        composed = [(message.template, _compose(workshop, message).get_body(("html",))) for message in queued]
        db.session.remove()
    return [(name, str(part.get_content())) for name, part in composed if part is not None]
