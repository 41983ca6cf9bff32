"""What an HR system writes over SCIM, as orders: received, kept and applied like those that arrive signed (decision 0013).

Owns sending them, and what SCIM has to remember.  Leaves alone which orders they are (`policies.person_orders`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db, insert
from idp.flows.apply_order import apply_order
from idp.flows.employees import Seen, employee
from idp.flows.here import Here
from idp.flows.order_schema import broken_rules
from idp.flows.receive_order import Mistake, receive_order
from idp.flows.record import record
from idp.flows.write_person import hold_person
from idp.models import Order, OrderLine, Person, ScimExternalId, ScimPerson
from policies.deadlines import local_day
from policies.person_orders import Employee, Post, Step, Unfit, orders_for

SOURCE = "scim"
LONGEST_EXTERNAL_ID = 200
ATTRIBUTES = {
    "ids.employeeNo": "userName", "name.family": "name.familyName", "name.given": "name.givenName",
    "name.patronymic": "name.middleName", "employment.departmentCode": "department",
    "employment.positionTitle": "title",
}  # fmt: skip
"""What the schema of orders calls an attribute of SCIM."""
ATTRIBUTE_OF_KIND = {"dismissal": "active", "rename": "name", "hire": "userName", "reinstatement": "active"}


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody has this number already."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The order was kept and waits for a person (a brake, an ambiguous person): the attribute, and the order's note."""

    attribute: str
    reason: str


Refused = Unfit | Taken | Waits


def add_employee(here: Here, client_id: str, told: Employee, external_id: str | None) -> Seen | Refused:
    """Hire somebody; who was deleted before comes back with the account they had.  Of several at once one succeeds."""
    wrong = _wrong(told, external_id)
    if wrong:
        return wrong
    person = _person(told.number)
    if person is not None and not _is_deleted(told.number):
        return Taken()
    if not _claim(told.number):
        return Taken()
    before = employee(here, client_id, person.id) if person else None
    refused = _order(here, client_id, before, told)
    if refused:
        return refused
    made = _person(told.number)
    assert made is not None  # noqa: S101  # the hire made them
    return _named(here, client_id, made.id, told, external_id)


def change_employee(
    here: Here, client_id: str, before: Seen, told: Employee, external_id: str | None
) -> Seen | Refused:
    """Order whatever differs; `before` was read after the person was held (`hold_employee`)."""
    refused = _wrong(told, external_id) or _held_before(before.id, told) or _order(here, client_id, before, told)
    return refused or _named(here, client_id, before.id, told, external_id)


def remove_employee(here: Here, client_id: str, before: Seen) -> Refused | None:
    """Dismiss them; the resource is gone, person and account stay, closed."""
    now = before.employee
    told = Employee(now.number, now.family, now.given, now.patronymic, now.department, now.title, False)
    refused = _held_before(before.id, told) or _order(here, client_id, before, told)
    if refused:
        return refused
    _remember(now.number, deleted_at=here.now)
    record(here, "scim-person-deleted", subject=f"person/{before.id}")
    return None


def hold_employee(here: Here, client_id: str, person_id: UUID) -> Seen | None:
    """As they are now, locked for the running transaction."""
    if db.session.get(Person, person_id) is None:
        return None
    hold_person(person_id)
    return employee(here, client_id, person_id)


def _order(here: Here, client_id: str, before: Seen | None, told: Employee) -> Refused | None:
    posts = before.posts if before else ()
    steps = orders_for(before.employee if before else None, posts, told, f"scim-{uuid7()}")
    if isinstance(steps, Unfit):
        return steps
    bodies = [_body(here, client_id, step) for step in steps]
    for body in bodies:
        if broken := broken_rules(body):
            return _unfit(broken)
    for body in bodies:
        if waits := _give(here, body):
            return waits
    return None


def _give(here: Here, body: dict[str, Any]) -> Waits | None:
    """Receive and apply one order at once: an answer tells what is."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    told = {"webhook-id": f"scim/{body['orderId']}", "received-from": here.actor}
    order = receive_order(here, raw, body, told).order
    assert order is not None  # noqa: S101  # the id is new, so it was stored
    apply_order(here, order)
    db.session.flush()
    if order.state != "needs_review":
        return None
    lines = db.session.scalars(sa.select(OrderLine).where(OrderLine.order_pk == order.id)).all()
    notes = [note for note in (order.note, *(line.note or line.state for line in lines)) if note and note != "done"]
    return Waits(ATTRIBUTE_OF_KIND.get(order.kind, "department"), notes[0])


def _body(here: Here, client_id: str, step: Step) -> dict[str, Any]:
    """Numbers go on in time, so that of several on one day the later has the last word."""
    order_id, today = uuid7(), local_day(here.now, here.service.zone).isoformat()
    body = {
        "schema": "urn:kstu:hr:order:1", "orderId": str(order_id), "version": 1, "status": "approved",
        "kind": step.kind, "number": f"SCIM-{order_id.hex[:25]}", "approvedOn": today, "effectiveOn": today,
        "signatory": {"fullName": f"client {client_id}"}, "source": {"system": SOURCE}, "persons": list(step.persons),
    }  # fmt: skip
    return body | ({"immediate": True} if step.kind == "dismissal" else {})


def _wrong(told: Employee, external_id: str | None) -> Unfit | None:
    """What no order could say of anybody, also where no order is needed; and what can't be kept."""
    if external_id is not None and not (external_id.isprintable() and 1 <= len(external_id) <= LONGEST_EXTERNAL_ID):
        return Unfit("externalId", f"must be 1 to {LONGEST_EXTERNAL_ID} printable characters")
    post = Post(told.department, told.title)
    made = orders_for(None, (post,), told, "scim")
    assert not isinstance(made, Unfit)  # noqa: S101  # of nobody yet everything can be ordered
    person: Mapping[str, Any] = made[0].persons[0]
    body = {
        "schema": "urn:kstu:hr:order:1", "orderId": str(uuid7()), "version": 1, "status": "approved", "kind": "hire",
        "number": "SCIM", "approvedOn": "2026-01-01", "effectiveOn": "2026-01-01",
        "signatory": {"fullName": "SCIM"}, "source": {"system": SOURCE}, "persons": [person],
    }  # fmt: skip
    broken = broken_rules(body)
    return _unfit(broken) if broken else None


def _unfit(broken: Sequence[Mistake]) -> Unfit:
    place = broken[0].json_path.removeprefix("$.persons[0].")
    return Unfit(ATTRIBUTES.get(place, place), f"breaks the rule «{broken[0].rule}»")


def _held_before(person_id: UUID, told: Employee) -> Waits | None:
    """A dismissal of theirs that waits already: asking again makes no second one."""
    waiting = sa.select(Order.note).join(OrderLine).where(
        Order.source == SOURCE, Order.kind == "dismissal", Order.state == "needs_review", Order.held,
        OrderLine.person_id == person_id)  # fmt: skip
    note = None if told.active else db.session.scalar(waiting.limit(1))
    return Waits("active", note) if note else None


def _named(here: Here, client_id: str, person_id: UUID, told: Employee, external_id: str | None) -> Seen:
    """Keep what orders do not: the client's own name, and where somebody who is not employed would work again."""
    key = (ScimExternalId.client_id == client_id, ScimExternalId.person_id == person_id)
    db.session.execute(sa.delete(ScimExternalId).where(*key))
    if external_id is not None:
        row = {"client_id": client_id, "person_id": person_id, "external_id": external_id}
        db.session.execute(insert(ScimExternalId).values(**row))
    again = (None, None) if told.active else (told.department, told.title)
    _remember(told.number, department=again[0], title=again[1])
    db.session.flush()
    seen = employee(here, client_id, person_id)
    assert seen is not None  # noqa: S101  # who was just written is there
    return seen


def _person(number: str) -> Person | None:
    return db.session.scalar(sa.select(Person).where(Person.employee_no == number))


def _is_deleted(number: str) -> bool:
    row = sa.select(ScimPerson.deleted_at).where(ScimPerson.employee_no == number)
    return db.session.scalar(row) is not None


def _claim(number: str) -> bool:
    """Whether the number is ours to hire under: nobody made it before, or it was deleted.  One statement, so that of
    several at once one gets it."""
    new = insert(ScimPerson).values(employee_no=number)
    taken = new.on_conflict_do_update(
        index_elements=["employee_no"], set_={"deleted_at": sa.null()}, where=ScimPerson.deleted_at.is_not(None)
    )
    return db.session.scalar(taken.returning(ScimPerson.employee_no)) is not None


def _remember(number: str, **values: Any) -> None:
    row = insert(ScimPerson).values(employee_no=number, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=["employee_no"], set_=values))
