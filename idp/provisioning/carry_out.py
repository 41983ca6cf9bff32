"""Doing one piece of work, whatever its kind.  Both engines end here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from idp.db import db, unit_of_work
from idp.flows.apply_order import apply_order
from idp.flows.follow_orders import follow_orders
from idp.flows.here import at_work
from idp.flows.order_moved import order_moved
from idp.flows.recover import answer_request
from idp.flows.tell_lock import tell_lock
from idp.log import log
from idp.models import LockNotice, Order, Person, RecoveryRequest
from idp.provisioning.converge import converge
from idp.provisioning.deliver import deliver
from idp.provisioning.scan import scan_target
from idp.provisioning.tell_client import tell_client
from idp.provisioning.tell_receiver import tell_receiver
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, delay

T = TypeVar("T", Order, Person, RecoveryRequest, LockNotice)

MOST_FAILURES = 10  # of applying an order, before a person must look
LATER = timedelta(minutes=5)  # when following the orders of a person failed


def carry_out(workshop: Workshop, kind: str, row_id: UUID) -> None:
    """Do it.  Work that is not due any more is left alone, so doing it twice is harmless."""
    with workshop.app.app_context():
        KINDS_OF_WORK[kind](workshop, row_id)


def _apply(workshop: Workshop, order_pk: UUID) -> None:
    """One transaction: whole, or not at all.  A crash is counted in the order and tried again.

    Troubles of the database are not the order's: they leave it due, for the next sweep.
    """
    here = at_work(workshop.service, "worker")
    try:
        with unit_of_work():
            order = _take(Order, Order.id == order_pk, Order.run_at <= here.now)
            if order is not None:
                apply_order(here, order)
    except OperationalError:
        raise
    except Exception as error:
        log.error("order-crash", order=str(order_pk), exc_info=error)
        _put_off(workshop, order_pk, type(error).__name__)


def _put_off(workshop: Workshop, order_pk: UUID, reason: str) -> None:
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        order = db.session.get_one(Order, order_pk, with_for_update={"key_share": True})
        order.failures, order.last_error = order.failures + 1, reason
        if order.failures < MOST_FAILURES:
            order.run_at = here.now + max(delay(order.failures, workshop.chance(), RetryRules()), timedelta(seconds=1))
        else:
            before, order.state, order.run_at = order.state, "failed", None
            order_moved(here, order, "order-state", {"state": before}, {"state": "failed"})


def _review(workshop: Workshop, person_id: UUID) -> None:
    """Time has passed: the same orders mean something else now."""
    here = at_work(workshop.service, "worker")
    try:
        with unit_of_work():
            person = _take(Person, Person.id == person_id, Person.review_at <= here.now)
            if person is not None:
                follow_orders(here, person)
    except OperationalError:
        raise
    except Exception as error:
        log.error("review-crash", person=str(person_id), exc_info=error)
        with unit_of_work():
            db.session.get_one(Person, person_id, with_for_update={"key_share": True}).review_at = here.now + LATER


def _recover(workshop: Workshop, request_pk: UUID) -> None:
    """A request that crashes is forgotten: whoever made it makes it again."""
    here = at_work(workshop.service, "anonymous")
    try:
        with unit_of_work():
            request = _take(RecoveryRequest, RecoveryRequest.id == request_pk, RecoveryRequest.run_at <= here.now)
            if request is not None:
                answer_request(here, request)
    except OperationalError:
        raise
    except Exception as error:
        log.error("recovery-crash", request=str(request_pk), exc_info=error)
        with unit_of_work():
            db.session.execute(sa.delete(RecoveryRequest).where(RecoveryRequest.id == request_pk))


def _tell_lock(workshop: Workshop, notice_pk: UUID) -> None:
    """One that crashes is tried again later."""
    here = at_work(workshop.service, "anonymous")
    try:
        with unit_of_work():
            notice = _take(LockNotice, LockNotice.id == notice_pk, LockNotice.run_at <= here.now)
            if notice is not None:
                tell_lock(here, notice)
    except OperationalError:
        raise
    except Exception as error:
        log.error("lock-notice-crash", notice=str(notice_pk), exc_info=error)
        with unit_of_work():
            later = {
                "run_at": here.now + LATER,
                "failures": LockNotice.failures + 1,
                "last_error": type(error).__name__,
            }
            db.session.execute(sa.update(LockNotice).where(LockNotice.id == notice_pk).values(later))


def _take(table: type[T], *due: sa.ColumnElement[bool]) -> T | None:
    """The row if it is due and nobody else is working on it."""
    return db.session.scalar(sa.select(table).where(*due).with_for_update(skip_locked=True, key_share=True))


KINDS_OF_WORK: Mapping[str, Callable[[Workshop, UUID], None]] = {
    "order": _apply,
    "person": _review,
    "task": converge,
    "message": deliver,
    "logout": tell_client,
    "event": tell_receiver,
    "recovery": _recover,
    "lock": _tell_lock,
    "scan": scan_target,
}
