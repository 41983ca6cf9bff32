"""Somebody who has forgotten something, and the worker that mails them."""

import json
from dataclasses import dataclass
from email.message import EmailMessage

import sqlalchemy as sa

from idp.db import db, unit_of_work
from idp.flows.here import at_work
from idp.flows.recover import ask_to_recover
from idp.flows.refusal import Refusal
from idp.flows.reset_password import reset_password
from idp.flows.second_factor import Proof
from idp.models import Message, RecoveryRequest
from idp.provisioning.carry_out import carry_out
from idp.provisioning.deliver import _compose
from idp.provisioning.workshop import open_workshop
from policies.recovery import Forgotten
from tests.builders import Make

NEW = "Kumbez, 9 Ala-Archa"


@dataclass(frozen=True)
class Mail:
    """A queued mail: where to, which one, what it carries."""

    to: str
    template: str
    link: str

    @property
    def token(self) -> str:
        return self.link.rpartition("/")[2]


def ask(make: Make, entered: str, forgotten: Forgotten = Forgotten.PASSWORD) -> None:
    """Ask, and let the worker do its part."""
    with make.app.app_context(), unit_of_work():
        ask_to_recover(make.here(), forgotten, entered)
    work(make)


def work(make: Make) -> None:
    """What a worker does about all requests that wait."""
    workshop = open_workshop(make.app)
    with make.app.app_context():
        waiting = db.session.scalars(sa.select(RecoveryRequest.id)).all()
        db.session.remove()
    for request in waiting:
        carry_out(workshop, "recovery", request)


def mails(make: Make) -> list[Mail]:
    """All that are queued, in their order."""
    with make.app.app_context():
        queued = db.session.scalars(sa.select(Message).order_by(Message.id)).all()
        found = [Mail(one.to, one.template, _told(make, one).get("link", "")) for one in queued]
        db.session.remove()
    return found


def texts(make: Make) -> list[str]:
    """The same mails as they are read."""
    workshop = open_workshop(make.app)
    with make.app.app_context():
        found = [text_of(_compose(workshop, one)) for one in db.session.scalars(sa.select(Message))]
        db.session.remove()
    return found


def text_of(mail: EmailMessage) -> str:
    """Its plain form."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_of(make: Make, login: str = "aida") -> str:
    """The token of the newest link of `login`, freshly asked for."""
    ask(make, login)
    return mails(make)[-1].token


def use(make: Make, token: str, password: str = NEW, again: str | None = None, code: str = "") -> Refusal | None:
    """Choose a password with the link, and a code where one is asked for."""
    with make.app.app_context(), unit_of_work():
        here = at_work(make.service, "anonymous")
        return reset_password(here, token, password, password if again is None else again, Proof(code))


def _told(make: Make, message: Message) -> dict[str, str]:
    assert message.content is not None
    told: dict[str, str] = json.loads(make.service.vault.open(message.content, f"message/{message.id}"))
    return told
