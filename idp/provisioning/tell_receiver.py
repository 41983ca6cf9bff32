"""Telling a receiver of one event, or a sender what became of an order, until it is heard (Regulation 3.7, 5.6).

At least once, and those about one account or order one after the other; whoever hears one twice knows it by its id.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.correspondents import Receiver
from idp.db import db, unit_of_work
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.tell_receivers import QUEUE
from idp.flows.work import CLOSING, Work, leave_work
from idp.models import Account, EventNotice
from idp.oauth.clients import find_client
from idp.oauth.outbound import Unreachable, send
from idp.oauth.subject import subject_for
from idp.provisioning.hand_over import Failure, Round, hand_over
from idp.provisioning.parcel import Parcel
from idp.provisioning.security_event import security_event
from idp.provisioning.webhook import event_webhook, order_webhook
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules

PATIENCE = RetryRules(first=timedelta(seconds=5), give_up_after=timedelta(days=3))  # hr-orders, outbound
NOT_WANTED = Failure("the settings do not name it any more", "permanent")


def tell_receiver(workshop: Workshop, notice_id: UUID) -> None:
    """Claim the notice, call, settle.  Does nothing when it is not due or somebody else has it."""
    hand_over(workshop, EVENTS, notice_id)


def _call(here: Here, notice_id: UUID) -> Failure | None:
    with unit_of_work():
        parcel = _parcel(here, db.session.get_one(EventNotice, notice_id))
    if isinstance(parcel, Failure):
        return parcel
    try:
        send(here.service, parcel.url, parcel.body, parcel.headers, parcel.refused)
    except Unreachable as error:
        return Failure.of(error)
    return None


def _parcel(here: Here, notice: EventNotice) -> Parcel | Failure:
    """What is sent; receivers that left the settings meanwhile are not called."""
    kind, _, name = notice.receiver.partition("/")
    if kind == "senders":
        sender = here.service.settings.senders.get(name)
        return order_webhook(here, sender.callback, notice) if sender and sender.callback else NOT_WANTED
    receiver = here.service.settings.receivers.get(name)
    if receiver is None:
        return NOT_WANTED
    sub = _sub(here, receiver, db.session.get_one(Account, notice.account_id))
    if sub is None:
        return Failure(f"there is no client {receiver.client}")
    make = security_event if receiver.kind == "set" else event_webhook
    return _authorized(receiver, make(here, receiver, notice, sub))


def _sub(here: Here, receiver: Receiver, account: Account) -> str | None:
    """Under which name it knows the account: that of its client, which may be one of its own."""
    if receiver.client is None:
        return account.sub
    client = find_client(receiver.client)
    return subject_for(here.service, client, account.sub) if client else None


def _authorized(receiver: Receiver, parcel: Parcel) -> Parcel:
    if receiver.authorization is None:
        return parcel
    headers = {**parcel.headers, "Authorization": receiver.authorization.get_secret_value()}
    return Parcel(parcel.url, parcel.body, headers, parcel.refused)


def _ended(here: Here, notice: EventNotice, reason: str | None) -> None:
    """On record; and whatever waited for it is woken."""
    told = {"status": notice.status, "event": notice.event, "topic": notice.topic, "jti": str(notice.id)}
    before = {"status": "waiting"}
    if reason is None:
        record(here, "receiver-told", subject=notice.receiver, before=before, after=told)
    else:
        record(here, "receiver-not-told", subject=notice.receiver, before=before, after=told | {"reason": reason})
    db.session.flush()
    following = sa.select(EventNotice.id, EventNotice.run_at).where(
        EventNotice.receiver == notice.receiver, EventNotice.topic == notice.topic, EventNotice.status == "waiting"
    )
    row = db.session.execute(following.order_by(EventNotice.id).limit(1)).first()
    if row is not None and row.run_at <= here.now:
        leave_work(Work("event", row.id, row.run_at, CLOSING, QUEUE))


EVENTS = Round(EventNotice, _call, _ended, PATIENCE)
