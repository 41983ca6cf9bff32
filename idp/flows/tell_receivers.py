"""Noting what other systems must be told: security events (`policies/events.py`), and what becomes of orders.

The notes are rows of the transaction in which it happens, so nothing is forgotten and nothing is told that did not
happen; a worker does the telling (`idp/provisioning/tell_receiver.py`).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.correspondents import Receiver
from idp.db import db
from idp.flows.here import Here
from idp.flows.work import CLOSING, Work, leave_work
from idp.models import EventNotice, Link, Order
from policies.events import events_of

QUEUE = "events"
TOLD_KEPT = timedelta(days=7)
FAILED_KEPT = timedelta(days=90)


def tell_receivers(
    here: Here,
    act: str,
    account_id: UUID,
    login: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Leave a notice of every event in `act` for each receiver that wants it and may know the account."""
    receivers = here.service.settings.receivers
    events = events_of(act, login, here.actor, before, after) if receivers else ()
    for event in events:
        for name, receiver in receivers.items():
            if event.name in receiver.events and _may_know(receiver, account_id):
                _leave(here, f"receivers/{name}", f"account/{account_id}", event.name, dict(event.claims), account_id)


def tell_sender(here: Here, order: Order) -> None:
    """Leave a notice of the order's state for whoever sent it, where there is an address for that."""
    sender = here.service.settings.senders.get(order.source)
    if sender is None or sender.callback is None:
        return
    content = {
        "orderId": order.order_id, "version": order.version, "receipt": order.receipt, "state": order.state,
        "note": order.note,
    }  # fmt: skip
    _leave(here, f"senders/{order.source}", f"order/{order.order_id}", order.state, content)


def forget_told(here: Here) -> None:
    """Remove what was told a week ago, and what could not be told and has been shown for three months."""
    over = sa.or_(
        sa.and_(EventNotice.status == "told", EventNotice.told_at < here.now - TOLD_KEPT),
        sa.and_(EventNotice.status == "failed", EventNotice.created_at < here.now - FAILED_KEPT),
    )
    db.session.execute(sa.delete(EventNotice).where(over).execution_options(synchronize_session=False))


def _may_know(receiver: Receiver, account_id: UUID) -> bool:
    """Whether the account has or had access to its system; who had may still be signed in there."""
    if receiver.system is None:
        return True
    access = sa.exists().where(Link.account_id == account_id, Link.system == receiver.system)
    return bool(db.session.scalar(sa.select(access)))


def _leave(
    here: Here, receiver: str, topic: str, event: str, content: dict[str, Any], account_id: UUID | None = None
) -> None:
    notice = EventNotice(
        id=uuid7(), receiver=receiver, topic=topic, account_id=account_id, event=event, content=content,
        txn=here.request_id, status="waiting", created_at=here.now, run_at=here.now,
    )  # fmt: skip
    db.session.add(notice)
    leave_work(Work("event", notice.id, here.now, CLOSING, QUEUE))
