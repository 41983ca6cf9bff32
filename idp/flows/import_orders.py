"""Orders out of a table: looked at first, then carried out like any other (Regulation 3.7).

What was looked at is kept, sealed, for an hour: what is carried out is exactly that, once.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.here import Here
from idp.flows.order_schema import broken_rules
from idp.flows.receive_order import digest_of, receive_order
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.table_file import NotATable, rows_of
from idp.models import Order, OrderImport
from policies.order_table import LABELS, SOURCE, TableOrder, Wrong, read_table
from policies.permissions import Whom, may

KEPT = timedelta(hours=1)
MOST_TOLD = 100  # mistakes
PERSON = re.compile(r"\$\.persons\[(\d+)\]\.?(.*)")
NOBODY = Whom(None, frozenset(), None)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What would become of one order of the table: ``new``, ``corrected`` (a next version) or ``known``."""

    number: str
    kind: str
    effective_on: str
    persons: int
    version: int
    standing: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the table asks for; `import_id` is there when nothing is wrong and something would change."""

    import_id: UUID | None
    orders: list[Ahead]
    wrong: list[Wrong]


def preview_import(here: Here, data: bytes) -> Preview:
    """Read the file and say what it would do; nothing is carried out.  Raises `Forbidden`."""
    _check(here)
    try:
        orders, wrong = read_table(rows_of(data))
    except NotATable as error:
        return Preview(None, [], [Wrong(1, "", str(error))])
    ahead = [] if wrong else [_ahead(order) for order in orders]
    wrong += [one for order in orders for one in _broken(order)] if not wrong else []
    if wrong or not any(one.standing != "known" for one in ahead):
        return Preview(None, ahead, wrong[:MOST_TOLD])
    bodies = [order.body for order, one in zip(orders, ahead, strict=True) if one.standing != "known"]
    kept = OrderImport(made_by=here.account_id, made_at=here.now, content=b"")
    db.session.add(kept)
    db.session.flush()
    kept.content = here.service.vault.seal(json.dumps(bodies, ensure_ascii=False), f"order_import/{kept.id}")
    return Preview(kept.id, ahead, [])


def carry_out_import(here: Here, import_id: UUID) -> int | Refusal:
    """Receive the orders that were looked at; how many.  Refusal: ``gone`` (carried out, or an hour ago).

    Raises `Forbidden` for who may not, and for what somebody else looked at.
    """
    _check(here)
    taken = sa.delete(OrderImport).where(
        OrderImport.id == import_id, OrderImport.made_by == here.account_id, OrderImport.made_at > here.now - KEPT
    )
    row = db.session.execute(taken.returning(OrderImport.content)).one_or_none()
    if row is None:
        return Refusal("gone")
    bodies = json.loads(here.service.vault.open(row.content, f"order_import/{import_id}"))
    for place, body in enumerate(bodies):
        raw = json.dumps(body, ensure_ascii=False).encode()
        receive_order(here, raw, body, {"webhook-id": f"import/{import_id}/{place}", "imported-by": here.actor})
    record(here, "orders-imported", after={"orders": len(bodies), "import": import_id})
    return len(bodies)


def forget_imports(here: Here) -> None:
    """Those that nobody carried out."""
    db.session.execute(sa.delete(OrderImport).where(OrderImport.made_at <= here.now - KEPT))


def _check(here: Here) -> None:
    if here.who is None or not may("import-orders", here.who, NOBODY, here.now):
        raise Forbidden("import-orders")


def _ahead(order: TableOrder) -> Ahead:
    """The version is the next one, unless the newest says the same."""
    body = order.body
    known = db.session.execute(
        sa.select(Order.version, Order.digest)
        .where(Order.source == SOURCE, Order.order_id == body["orderId"])
        .order_by(Order.version.desc())
        .limit(1)
    ).one_or_none()
    body["version"] = known.version if known else 1
    standing = "new"
    if known is not None:
        standing = "known" if known.digest == digest_of(body) else "corrected"
        body["version"] += standing == "corrected"
    return Ahead(body["number"], body["kind"], body["effectiveOn"], len(body["persons"]), body["version"], standing)


def _broken(order: TableOrder) -> list[Wrong]:
    return [_placed(order, mistake.json_path, mistake.rule) for mistake in broken_rules(order.body)]


def _placed(order: TableOrder, path: str, rule: str) -> Wrong:
    """By row and column, as whoever made the table knows it."""
    found = PERSON.fullmatch(path)
    if found is None:
        name = path.removeprefix("$.")
        return Wrong(order.rows[0], LABELS.get(name, name), rule)
    name = found[2]
    return Wrong(order.rows[int(found[1])], LABELS.get(name, name), rule)


def template() -> list[str]:
    """The headings of an empty table."""
    return list(LABELS.values())
