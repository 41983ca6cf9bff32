"""Mail that is really sent, to a server that is sometimes there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from idp.clock import SetClock
from idp.db import db
from idp.models import AuditRecord, Message
from idp.provisioning.carry_out import carry_out
from idp.provisioning.runner import Runner
from idp.provisioning.workshop import Workshop
from idp.settings import Settings
from tests.builders import Make, settings_for
from tests.idp.provisioning.orders import Desk, hire
from tests.idp.recovery import text_of
from tests.idp.web.browser import Browser
from tests.postgres import free_port


@dataclass
class Postbox:
    """An SMTP server and what it took; `refuse` answers the next mails instead."""

    port: int
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse.pop()
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 taken"

    def server(self) -> Controller:
        return Controller(self, hostname="127.0.0.1", port=self.port)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox(free_port())
    server = box.server()
    server.start()
    yield box
    server.stop(no_assert=True)


@pytest.fixture
def settings(database_url: str, postbox: Postbox) -> Settings:
    mail = {"sender": "achkych@kstu.kg", "starttls": False, "port": postbox.port, "timeout": 2}
    return settings_for(database_url, mail=mail)


def test_an_invitation_is_sent_once_and_its_text_is_gone_from_the_database(
    desk: Desk, runner: Runner, postbox: Postbox, clock: SetClock, number: int
) -> None:
    desk.receive(hire(number))
    runner.run_until_idle()
    clock.advance(hours=1)
    runner.run_until_idle()
    ((to, mail),) = postbox.mails
    assert to == [f"n{number}@example.org"]
    assert mail["From"] == "achkych@kstu.kg"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "http://localhost/activation/" in text_of(mail)
    assert desk.account(number).login in text_of(mail)
    message = desk.message(number)
    assert (message.content, message.run_at, message.owner) == (None, None, None)
    assert message.sent_at is not None
    desk.one(sa.select(AuditRecord).where(AuditRecord.act == "mail-sent"))


def test_while_the_server_is_down_the_mail_waits(
    desk: Desk, runner: Runner, postbox: Postbox, clock: SetClock, number: int
) -> None:
    postbox.refuse = ["451 later"]
    desk.receive(hire(number))
    runner.run_until_idle()
    message = desk.message(number)
    assert (message.sent_at, message.failures, message.last_error) == (None, 1, "SMTPDataError")
    assert (message.run_at - clock.now()).total_seconds() == 30
    assert message.content is not None
    clock.advance(seconds=30)
    runner.run_until_idle()
    assert len(postbox.mails) == 1
    assert desk.message(number).last_error is None


def test_mail_nobody_takes_is_given_up_when_its_link_is_worth_nothing_any_more(
    desk: Desk, runner: Runner, postbox: Postbox, clock: SetClock, number: int
) -> None:
    postbox.refuse = ["550 nobody here"] * 20
    desk.receive(hire(number))
    for _ in range(10):
        runner.run_until_idle()
        clock.advance(hours=10)
    assert (desk.message(number).run_at, desk.message(number).sent_at) == (None, None)
    given_up = desk.one(sa.select(AuditRecord).where(AuditRecord.act == "mail-given-up"))
    assert given_up.after == {"reason": "SMTPDataError"}


def test_a_mail_that_cannot_be_written_is_put_off_and_not_in_the_way_of_others(
    desk: Desk, workshop: Workshop, runner: Runner, postbox: Postbox, number: int
) -> None:
    carry_out(workshop, "order", desk.receive(hire(number)))
    desk.change(lambda: db.session.execute(sa.update(Message).values(content=b"not what was sealed")))
    desk.receive(hire(number + 500_000))
    runner.run_until_idle()
    assert [to for to, _ in postbox.mails] == [[f"n{number + 500_000}@example.org"]]
    assert desk.message(number).failures == 1


def test_the_mails_about_a_lock_and_a_new_device_carry_the_link_that_locks(
    make: Make, runner: Runner, postbox: Postbox
) -> None:
    someone = make.account("zuura")
    for agent in ("Firefox/1 Windows", "Firefox/1 Android"):
        browser = Browser(make)
        browser._headers |= {"User-Agent": agent}
        browser.sign_in(someone)
    for _ in range(4):
        Browser(make).sign_in(replace(someone, password="Not-the-1-password"))
    runner.run_until_idle()
    texts = [text_of(mail) for to, mail in postbox.mails if to == ["zuura@example.org"]]
    assert len(texts) == 2
    assert sum("Firefox, Android" in text for text in texts) == 1
    for text in texts:
        (link,) = re.findall(r"^http://localhost(/report-misuse/\S+)$", text, re.MULTILINE)
        assert Browser(make).submit(link, {}).status_code == 200
    runner.run_until_idle()
    assert len(postbox.mails) == 3, "one more: what was reported"
