"""Doing one piece of work, whatever its kind.  Both engines end here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.db import db, unit_of_work
from idp.flows.apply_order import apply_order
from idp.flows.follow_orders import follow_orders
from idp.flows.here import at_work
from idp.flows.record import record
from idp.log import log
from idp.models import Order, Person
from idp.provisioning.converge import converge
from idp.provisioning.deliver import deliver
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, delay

MOST_FAILURES = 10  # of applying an order, before a person must look


def carry_out(workshop: Workshop, kind: str, row_id: UUID) -> None:
    """Do it.  Work that is not due any more is left alone, so doing it twice is harmless."""
    with workshop.app.app_context():
        KINDS_OF_WORK[kind](workshop, row_id)


def _apply(workshop: Workshop, order_pk: UUID) -> None:
    """One transaction: whole, or not at all.  A crash is counted in the order and tried again."""
    here = at_work(workshop.service, "worker")
    try:
        with unit_of_work():
            due = sa.select(Order).where(Order.id == order_pk, Order.run_at <= here.now)
            order = db.session.scalar(due.with_for_update(skip_locked=True))
            if order is not None:
                apply_order(here, order)
    except Exception as error:
        log.error("order-crash", order=str(order_pk), exc_info=error)
        _put_off(workshop, order_pk, type(error).__name__)


def _put_off(workshop: Workshop, order_pk: UUID, reason: str) -> None:
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        order = db.session.get_one(Order, order_pk, with_for_update=True)
        order.failures, order.last_error = order.failures + 1, reason
        if order.failures < MOST_FAILURES:
            order.run_at = here.now + max(delay(order.failures, workshop.chance(), RetryRules()), timedelta(seconds=1))
        else:
            before, order.state, order.run_at = order.state, "failed", None
            subject = f"order/{order.source}/{order.number}/v{order.version}"
            record(here, "order-state", subject=subject, before={"state": before}, after={"state": "failed"})


def _review(workshop: Workshop, person_id: UUID) -> None:
    """Time has passed: the same orders mean something else now."""
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        due = sa.select(Person).where(Person.id == person_id, Person.review_at <= here.now)
        person = db.session.scalar(due.with_for_update(skip_locked=True))
        if person is not None:
            follow_orders(here, person)


KINDS_OF_WORK: Mapping[str, Callable[[Workshop, UUID], None]] = {
    "order": _apply,
    "person": _review,
    "task": converge,
    "message": deliver,
}
