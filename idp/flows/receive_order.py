"""Taking in one version of an order: evidence first, acting later (hr-orders, idempotency and versions).

The key is (source, order id, version).  The same content again is answered as before; another content under a known
version, or a version older than the newest known, is refused.  What was signed is kept as it came, sealed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.crypto import new_token
from idp.db import db, insert
from idp.flows.here import Here
from idp.flows.order_moved import order_moved
from idp.flows.record import record
from idp.flows.work import ORDERS, Work, leave_work
from idp.models import Delivery, Department, Order, OrderLine

DAYS = ("approvedOn", "effectiveOn", "effectiveUntil")
DUPLICATE = "possible_duplicate"
MOST = 2**31 - 1  # what an integer column holds
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Reception(Enum):
    """How a delivery was received."""

    NEW = "new"
    KNOWN = "known"  # the same key with the same content
    CONFLICT = "version_conflict"  # the same key with other content
    STALE = "stale_version"  # kept as evidence, not applied


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome; without an order when nothing was stored."""

    reception: Reception
    order: Order | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A rule of ours that the order breaks: where, and which.  Never the value, which may be a personal number."""

    json_path: str
    rule: str


def mistakes_in(body: Mapping[str, Any]) -> list[Mistake]:
    """What the schema can't say: lines are unique, departments are known, numbers and texts fit in where they are kept."""
    known = set(db.session.scalars(sa.select(Department.code)))
    found = [Mistake(f"$.{name}", "day_between_1950_and_2200") for name in DAYS if not _is_plausible(body.get(name))]
    if body["version"] > MOST:
        found.append(Mistake("$.version", "maximum"))
    if not body["number"].isprintable():
        found.append(Mistake("$.number", "printable"))
    lines: set[str] = set()
    for index, person in enumerate(body.get("persons", ())):
        if person["line"] in lines:
            found.append(Mistake(f"$.persons[{index}].line", "unique"))
        lines.add(person["line"])
        found += [Mistake(f"$.persons[{index}].{field}", rule) for field, rule in _mistakes_in_person(person, known)]
    return found


def _mistakes_in_person(person: Mapping[str, Any], departments: set[str]) -> Iterator[tuple[str, str]]:
    for part, field in (("employment", "departmentCode"), ("study", "facultyCode")):
        code = person.get(part, {}).get(field)
        if code is not None and code not in departments:
            yield f"{part}.{field}", "known_department"
    for field in ("avnTeacherId", "avnStudentId"):
        if person["ids"].get(field, 0) > MOST:
            yield f"ids.{field}", "maximum"
    address = person.get("contacts", {}).get("personalEmail")
    if address is not None and not (address.isprintable() and ADDRESS.fullmatch(address)):
        yield "contacts.personalEmail", "format"


def _is_plausible(day: str | None) -> bool:
    """Within the years in which days can be counted with; 9999-12-31 is how some registers write «without end»."""
    return day is None or day == "9999-12-31" or "1950" <= day[:4] <= "2200"


def receive_order(here: Here, raw: bytes, body: Mapping[str, Any], signature: Mapping[str, str]) -> Received:
    """Store `body`, which has passed signature, schema and `mistakes_in`.  `signature`: the three webhook headers."""
    source = body["source"]["system"]
    digest = digest_of(body)
    newest = db.session.scalar(
        sa.select(sa.func.max(Order.version)).where(Order.source == source, Order.order_id == body["orderId"])
    )
    order, is_new = _store(here, raw, body, digest, signature, stale=newest is not None and body["version"] < newest)
    if not is_new and order.digest != digest:
        record(here, "order-refused", subject=_name(order), after={"reason": Reception.CONFLICT.value})
        return Received(Reception.CONFLICT, None)
    _remember_delivery(here, signature["webhook-id"], order)
    if not is_new:
        stale = (
            newest is not None and body["version"] < newest and order.state == "superseded" and order.note == "stale"
        )
        return Received(Reception.STALE if stale else Reception.KNOWN, order)
    if order.state == "superseded":
        return Received(Reception.STALE, order)
    _note_gap(here, order, newest)
    if order.run_at is not None:
        leave_work(Work("order", order.id, here.now, ORDERS, "orders"))
    return Received(Reception.NEW, order)


def _store(
    here: Here, raw: bytes, body: Mapping[str, Any], digest: str, signature: Mapping[str, str], stale: bool
) -> tuple[Order, bool]:
    """Insert unless another delivery was faster; the row, and whether it is ours."""
    source = body["source"]["system"]
    values = (
        _columns(here, body)
        | {
            "id": uuid7(),
            "digest": digest,
            "receipt": new_token()[:22],
            "signature": dict(signature),
        }
        | _standing(here, body, stale)
    )
    values["raw"] = here.service.vault.seal(raw.decode(), f"order/{values['id']}/raw")
    statement = insert(Order).values(**values)
    key = ["source", "order_id", "version"]
    inserted = db.session.scalar(statement.on_conflict_do_nothing(index_elements=key).returning(Order.id))
    order = db.session.scalars(
        sa.select(Order).where(
            Order.source == source, Order.order_id == body["orderId"], Order.version == body["version"]
        )
    ).one()
    if inserted is not None:
        _store_lines(here, order, body)
        order_moved(here, order, "order-received", None, {"kind": order.kind, "state": order.state})
    return order, inserted is not None


def _standing(here: Here, body: Mapping[str, Any], stale: bool) -> dict[str, Any]:
    """Whether the version is to be applied, kept as evidence only, or waits for a human as a possible duplicate."""
    if stale:
        return {"state": "superseded", "note": "stale", "run_at": None}
    source = body["source"]["system"]
    twin = sa.select(Order.id).where(
        Order.source == source,
        Order.number == body["number"],
        Order.approved_on == date.fromisoformat(body["approvedOn"]),
        Order.order_id != body["orderId"],
    )
    ours = sa.select(Order.id).where(
        Order.source == source, Order.order_id == body["orderId"], Order.note.is_distinct_from(DUPLICATE)
    )  # a correction of an order that came first is no duplicate of the one that came after it
    if db.session.scalar(sa.select(sa.exists(twin) & ~sa.exists(ours))):
        return {"state": "needs_review", "note": DUPLICATE, "run_at": None}
    return {"state": "accepted", "note": None, "run_at": here.now}


def _columns(here: Here, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": body["source"]["system"],
        "order_id": body["orderId"],
        "version": body["version"],
        "kind": body["kind"],
        "status": body["status"],
        "number": body["number"],
        "approved_on": date.fromisoformat(body["approvedOn"]),
        "effective_on": _day(body.get("effectiveOn")),
        "effective_until": _day(body.get("effectiveUntil")),
        "immediate": body.get("immediate", False),
        "received_at": here.now,
        "failures": 0,
    }


def _store_lines(here: Here, order: Order, body: Mapping[str, Any]) -> None:
    for position, person in enumerate(body.get("persons", ())):
        line = OrderLine(id=uuid7(), order_pk=order.id, line=person["line"], position=position, state="waiting")
        line.body = here.service.vault.seal(json.dumps(person, ensure_ascii=False), f"order_line/{line.id}")
        db.session.add(line)


def _remember_delivery(here: Here, webhook_id: str, order: Order) -> None:
    statement = insert(Delivery).values(
        webhook_id=webhook_id, source=order.source, order_pk=order.id, received_at=here.now
    )
    db.session.execute(statement.on_conflict_do_nothing())


def _note_gap(here: Here, order: Order, newest: int | None) -> None:
    if order.version > (newest or 0) + 1:
        record(
            here, "order-versions-missing", subject=_name(order), after={"known": newest or 0, "arrived": order.version}
        )


def _name(order: Order) -> str:
    return f"order/{order.source}/{order.number}/v{order.version}"


def digest_of(body: Mapping[str, Any]) -> str:
    """Of the parsed body with sorted keys and no blanks: a sender may serialise anew when it retries."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
