"""Queueing a mail.  It is rendered and sent by a worker, so that no page waits for a mail server (or tells by its
speed whether an address exists)."""

import json
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.work import MESSAGES, Work, leave_work
from idp.models import Account, Message, Person


def send_message(here: Here, account: Account, template: str, key: str, to: str | None = None, **context: Any) -> bool:
    """Queue `template` for the personal address of `account`'s owner, or for the one told; `key` makes it this message
    and no other.

    False when no address is known or the message was queued before.  The context is sealed: it may carry a link.
    """
    address = to or db.session.get_one(Person, account.person_id).personal_email
    known = db.session.scalar(sa.select(Message.id).where(Message.key == key))
    if address is None or known is not None:
        return False
    message = Message(
        key=key,
        account_id=account.id,
        to=address,
        template=template,
        created_at=here.now,
        run_at=here.now,
    )
    db.session.add(message)
    db.session.flush()
    message.content = here.service.vault.seal(json.dumps(context, default=str), f"message/{message.id}")
    leave_work(Work("message", message.id, here.now, MESSAGES, "mail-out"))
    return True
