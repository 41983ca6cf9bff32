"""Sending one queued mail.  At least once; its text is gone from the database once it is sent."""

import json
import smtplib
import ssl
from datetime import date
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any
from uuid import UUID

from flask import current_app
from flask_babel import force_locale

from idp.db import db, unit_of_work
from idp.flows.appointments import contacts_for
from idp.flows.departments import departments_of
from idp.flows.here import Here, at_work
from idp.flows.record import record
from idp.log import log
from idp.models import Account, Message, Person
from idp.provisioning.lease import claim, get_back
from idp.provisioning.letter import parts
from idp.provisioning.workshop import Workshop
from idp.settings import Mail
from policies.naming import display_name
from policies.retry import RetryRules, next_attempt


def deliver(workshop: Workshop, message_id: UUID) -> None:
    """Claim the message, send it, settle.  Does nothing when it is not due or somebody else has it."""
    held = claim(Message, message_id, workshop.owner(), workshop.service.clock.now(), workshop.lease)
    if held is None:
        return
    failure = _try(workshop, message_id)
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        message: Message | None = get_back(held, here.now)
        if message is not None and failure is None:
            _sent(here, message)
        elif message is not None:
            _put_off(workshop, here, message, type(failure).__name__)


def _try(workshop: Workshop, message_id: UUID) -> Exception | None:
    """Render and send it; what went wrong is for the log, the officer is told its kind."""
    try:
        with unit_of_work():
            mail = _compose(workshop, db.session.get_one(Message, message_id))
        _send(workshop.service.settings.mail, mail)
    except (OSError, smtplib.SMTPException) as error:
        return error
    except Exception as error:
        log.error("mail-crash", message=str(message_id), exc_info=error)
        return error
    return None


def _compose(workshop: Workshop, message: Message) -> EmailMessage:
    assert message.content is not None  # noqa: S101  # only sent messages have none, and those are never due
    context = json.loads(workshop.service.vault.open(message.content, f"message/{message.id}"))
    account = db.session.get_one(Account, message.account_id)
    subject, text, html = _render(workshop, message.template, account, context)
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = workshop.service.settings.mail.sender
    mail["To"] = message.to
    mail["Date"] = format_datetime(workshop.service.clock.now())
    mail["Message-ID"] = make_msgid(str(message.id), workshop.service.profile.institution.domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


def _render(workshop: Workshop, template: str, account: Account, context: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML in the language of the account."""
    person = db.session.get_one(Person, account.person_id)
    if "last_day" in context:
        context["last_day"] = date.fromisoformat(context["last_day"])
    here = at_work(workshop.service, "worker")
    with force_locale(account.language):
        written = current_app.jinja_env.get_template(f"mail/{template}.txt").render(
            login=account.login,
            display_name=display_name(person.given, person.family, person.patronymic),
            institution=workshop.service.profile.institution.names.to(account.language),
            contacts=contacts_for(departments_of(here, account), here.now, account.language),
            **context,
        )
        head, _, body = written.partition("\n")
        subject, text = head.removeprefix("Subject: ").strip(), body.strip() + "\n"
        html = current_app.jinja_env.get_template("mail/_letter.html").render(
            subject=subject, parts=parts(text, workshop.service.settings.base_url), language=account.language
        )
    return subject, text, html


def _send(server: Mail, mail: EmailMessage) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=server.timeout) as connection:
        if server.starttls:
            connection.starttls(context=ssl.create_default_context())
        if server.username and server.password:
            connection.login(server.username, server.password.get_secret_value())
        connection.send_message(mail)


def _sent(here: Here, message: Message) -> None:
    message.sent_at = here.now
    message.content = message.run_at = message.last_error = None
    account = db.session.get_one(Account, message.account_id)
    record(here, "mail-sent", account, subject=f"mail/{message.template}", after={"sent_at": here.now})


def _put_off(workshop: Workshop, here: Here, message: Message, reason: str) -> None:
    """Later, until it is too old to be of use."""
    message.failures, message.last_error = message.failures + 1, reason
    message.run_at = next_attempt(
        "retryable", message.failures, message.created_at, here.now, workshop.chance(), None, RetryRules()
    )
    log.warning("mail-failed", message=str(message.id), reason=reason, again_at=message.run_at)
    if message.run_at is None:
        account = db.session.get_one(Account, message.account_id)
        record(here, "mail-given-up", account, subject=f"mail/{message.template}", after={"reason": reason})
