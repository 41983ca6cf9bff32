"""Noting that the state of an order has changed: in the trail, and for whoever sent it."""

from collections.abc import Mapping
from typing import Any

from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.tell_receivers import tell_sender
from idp.models import Order


def order_moved(here: Here, order: Order, act: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """`act` has brought the order to the state it now has."""
    record(here, act, subject=f"order/{order.source}/{order.number}/v{order.version}", before=before, after=after)
    tell_sender(here, order)
