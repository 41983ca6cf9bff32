"""An event, or the state of an order, as a signed webhook (Standard Webhooks 1.0.0; hr-orders, outbound)."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from idp.correspondents import Callback, Receiver
from idp.flows.here import Here
from idp.models import EventNotice
from idp.provisioning.parcel import Parcel, refusal_by_status
from idp.standard_webhooks import signed_headers
from policies.events import Event


def event_webhook(here: Here, receiver: Receiver, notice: EventNotice, sub: str) -> Parcel:
    """The twin of a security event, about the account that the receiver knows as `sub`."""
    event = Event(notice.event, notice.content)
    data = {"accountId": sub, "txn": notice.txn, **event.claims}
    return _webhook(here, receiver.url, receiver.keys, notice, event.webhook, data)


def order_webhook(here: Here, callback: Callback, notice: EventNotice) -> Parcel:
    """What has become of an order, for whoever sent it."""
    return _webhook(here, callback.url, callback.keys, notice, f"order.{notice.event}", notice.content)


def _webhook(
    here: Here, url: str, keys: Sequence[SecretStr], notice: EventNotice, event: str, data: dict[str, Any]
) -> Parcel:
    """Its id is the notice's: however often it is sent, it is one.  The time stamp that is signed is that of the try."""
    moment = notice.created_at.astimezone(here.service.zone).isoformat(timespec="seconds")
    body = json.dumps({"type": event, "timestamp": moment, "data": data}, ensure_ascii=False).encode()
    signed = signed_headers(str(notice.id), body, [key.get_secret_value() for key in keys], here.now)
    return Parcel(url, body, {"Content-Type": "application/json", **signed}, refusal_by_status)
