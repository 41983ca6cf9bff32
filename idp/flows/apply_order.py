"""Applying a received order to the people it names (hr-orders, applying)."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from idp.db import db
from idp.flows.finish_order import open_tasks
from idp.flows.follow_orders import follow_orders
from idp.flows.here import Here
from idp.flows.hold_order import hold_order
from idp.flows.match_person import create_person, learn_identifiers, match_person
from idp.flows.order_moved import order_moved
from idp.flows.record import record
from idp.models import Order, OrderLine, Person
from policies.affiliations import ENDING, OPENING, Note
from policies.deadlines import ONE_DAY, start_of

# an order that tells who somebody is may be under way just now, and neither transaction sees the other
ANOTHER_LOOK = timedelta(minutes=1)


def apply_order(here: Here, order: Order) -> None:
    """Bring everybody the order names, or an earlier version of it named, in line with it.

    Called when the order arrives and again at the moment it takes effect.  A newer version makes it pointless.
    """
    here = here.acting_as(f"order/{order.source}/{order.number}/v{order.version}")
    if _is_superseded(order):
        _supersede(here, order)
        return
    came_to_know = [_match(here, order, line) for line in _lines(order)]
    db.session.flush()
    if hold_order(here, order):
        return
    _supersede_older(here, order)
    if any(came_to_know):
        _look_again(here, order)
    notes = {note for person in _people(order) for note in follow_orders(here, person, order).notes}
    _settle_lines(order, notes)
    _settle_order(here, order)


def _is_superseded(order: Order) -> bool:
    newer = sa.select(Order.id).where(
        Order.source == order.source, Order.order_id == order.order_id, Order.version > order.version, ~Order.held
    )
    return db.session.scalar(newer.limit(1)) is not None


def _supersede_older(here: Here, order: Order) -> None:
    older = sa.select(Order).where(
        Order.source == order.source, Order.order_id == order.order_id, Order.version < order.version
    )
    locked = older.where(Order.state != "superseded").order_by(Order.version).with_for_update(key_share=True)
    for one in db.session.scalars(locked.execution_options(populate_existing=True)):
        _supersede(here, one)


def _supersede(here: Here, order: Order) -> None:
    before, order.state, order.run_at = order.state, "superseded", None
    order_moved(here, order, "order-state", {"state": before}, {"state": "superseded"})


def _lines(order: Order) -> list[OrderLine]:
    return list(
        db.session.scalars(sa.select(OrderLine).where(OrderLine.order_pk == order.id).order_by(OrderLine.position))
    )


def _match(here: Here, order: Order, line: OrderLine) -> bool:
    """Find whom the line is about; whether anything new was learned of them by which they can be found."""
    if line.person_id is not None:
        return False
    before, body = line.state, json.loads(here.service.vault.open(line.body, f"order_line/{line.id}"))
    line.state, person = match_person(here, body)
    if person is None and line.state == "not_found" and order.kind in OPENING:
        line.state, person = "created", create_person(here, body)
    if person is None:
        if line.state != before:
            record(here, "order-line-needs-review", subject=f"line/{line.line}", after={"state": line.state})
        return False
    line.person_id = person.id
    return learn_identifiers(here, person, body) or line.state == "created"


def _look_again(here: Here, order: Order) -> None:
    """Orders that came before the one that tells who their people are: they find them now."""
    lost = sa.select(OrderLine.order_pk).where(OrderLine.state == "not_found", OrderLine.order_pk != order.id)
    db.session.execute(
        sa.update(Order)
        .where(Order.id.in_(lost), Order.state != "superseded", sa.or_(Order.run_at.is_(None), Order.run_at > here.now))
        .values(run_at=here.now)
        .execution_options(synchronize_session=False)
    )


def _people(order: Order) -> Iterable[Person]:
    """Everybody any version of the order names: who vanished from the newest gets the effect taken back."""
    named = (
        sa.select(OrderLine.person_id)
        .join(Order, Order.id == OrderLine.order_pk)
        .where(Order.source == order.source, Order.order_id == order.order_id)
    )
    return db.session.scalars(
        sa.select(Person)
        .where(Person.id.in_(named))
        .order_by(Person.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)  # what was read before the lock may be old by now
    ).all()


def _settle_lines(order: Order, notes: set[Note]) -> None:
    """A line is done, or says why a person must look at it."""
    told = {note.line: note.code for note in notes if (note.order_id, note.version) == (order.order_id, order.version)}
    for line in _lines(order):
        line.note = told.get(line.line)
        if line.person_id is not None:
            line.state = "refused" if line.note else "done"


def _settle_order(here: Here, order: Order) -> None:
    before = order.state
    order.state, order.run_at = _state(here, order), None
    moment = takes_effect_at(here, order)
    if order.state != "needs_review" and order.status == "approved" and moment > here.now:
        order.state, order.run_at = "scheduled", moment
    if before == "accepted" and any(line.state == "not_found" for line in _lines(order)):
        again = here.now + ANOTHER_LOOK
        order.run_at = min(order.run_at or again, again)
    if order.state != before:
        order_moved(here, order, "order-state", {"state": before}, {"state": order.state})


def _state(here: Here, order: Order) -> str:
    """How far the order is carried out, its moment having come."""
    if order.status == "cancelled":
        return "cancelled"
    lines = [line.state for line in _lines(order)]
    if "done" not in lines:
        return "needs_review"
    if open_tasks(order.id):
        return "applying"
    return "applied" if set(lines) == {"done"} else "partly_applied"


def takes_effect_at(here: Here, order: Order) -> datetime:
    """The moment it counts from: the start of its day, for an ending the end of it, or at once."""
    if order.immediate or order.effective_on is None:
        return order.received_at
    day = order.effective_on + ONE_DAY if order.kind in ENDING else order.effective_on
    return start_of(day, here.service.zone)
