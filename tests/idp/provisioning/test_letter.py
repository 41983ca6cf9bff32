"""Every mail in both forms and three languages: the same words, nothing of a person's data is markup, only our links."""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa

import idp
from idp.db import db, unit_of_work
from idp.flows.send_message import send_message
from idp.models import Account, Message, Person
from idp.provisioning.deliver import _compose
from idp.provisioning.letter import Part, parts
from idp.provisioning.workshop import open_workshop
from tests.builders import Make
from tests.idp.recovery import text_of

TEMPLATES = sorted(p.stem for p in Path(idp.__file__).parent.glob("templates/mail/[!_]*.txt"))
LANGUAGES = ("ky", "ru", "en")
HOSTILE = "<script>alert(1)</script> & \u202ehttps://evil.example/x"
CONTEXT = {
    "link": "http://localhost/recovery/abc", "misuse_link": "http://localhost/report-misuse/abc", "minutes": 60,
    "last_day": "2026-09-09", "locks": 12, "moment": "09.09.2026 12:00", "device": HOSTILE, "address": "192.0.2.1",
    "change": "factor-added", "today": 3, "overdue": 2, "escalated": 1, "stuck": 4, "system": "moodle", "reason": "down",
}  # fmt: skip


class Links(HTMLParser):
    """What can be pressed, and what is fetched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def composed(make: Make, template: str, language: str) -> tuple[str, str]:
    """Text and HTML."""
    aida = make.account(family="О’Коннор <b>")
    with make.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, aida.id)
        account.language = language
        db.session.get_one(Person, account.person_id).given = HOSTILE
        send_message(make.here(), account, template, "k", **CONTEXT)
    workshop = open_workshop(make.app)
    with make.app.app_context():
        mail = _compose(workshop, db.session.scalars(sa.select(Message)).one())
        db.session.remove()
    html = mail.get_body(("html",))
    assert html is not None and mail.get_content_type() == "multipart/alternative"
    return text_of(mail), str(html.get_content())


@pytest.mark.parametrize(("template", "language"), list(product(TEMPLATES, LANGUAGES)))
def test_a_mail_says_the_same_in_both_forms_and_nothing_of_the_persons_is_markup(
    make: Make, template: str, language: str
) -> None:
    text, html = composed(make, template, language)
    assert f'<html lang="{language}">' in html
    found = Links(html)
    assert not found.tags & {"script", "b", "img", "link", "iframe"}
    assert set(found.links) <= {CONTEXT["link"], CONTEXT["misuse_link"]}
    spoken = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))
    for line in filter(None, map(str.strip, text.splitlines())):
        assert re.sub(r"\s+", " ", line) in spoken


def test_sentences_links_and_what_stands_out_are_told_apart() -> None:
    body = "Dear Aida,\n\nReport it:\nhttp://us/x\n\n    aida\n    two\nmore\nhttp://us.evil/x\n"
    assert parts(body, "http://us") == [
        Part("text", ("Dear Aida,",)),
        Part("text", ("Report it:",)),
        Part("link", ("http://us/x",)),
        Part("lines", ("aida", "two")),
        Part("text", ("more", "http://us.evil/x")),
    ]
