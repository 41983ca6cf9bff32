"""When an order is carried out: nothing it asks for is still to be done (3.7)."""

from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.order_moved import order_moved
from idp.models import Account, Order, OrderLine, Task

OPEN_TASKS = ("waiting", "manual", "failed")


def open_tasks(order_pk: UUID) -> bool:
    """Whether anything the order asks for is still to be done."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Task.order_pk == order_pk, Task.status.in_(OPEN_TASKS)))))


def finish_order(here: Here, order_pk: UUID) -> None:
    """A task of the order is done: when it was the last one, the order is carried out."""
    # FOR NO KEY UPDATE: writing a task twice in one transaction makes PostgreSQL take FOR KEY SHARE on its order, and
    # two that both hold that and both want more would never get it
    order = db.session.get_one(Order, order_pk, with_for_update={"key_share": True})
    if order.state != "applying" or open_tasks(order_pk):
        return
    states = db.session.scalars(sa.select(OrderLine.state).where(OrderLine.order_pk == order_pk))
    order.state = "applied" if set(states) == {"done"} else "partly_applied"
    order_moved(here, order, "order-state", {"state": "applying"}, {"state": order.state})


def finish_overtaken(here: Here, account: Account, but: Order | None) -> None:
    """The same for orders whose last tasks about `account` a later order has made pointless."""
    overtaken = sa.select(Task.order_pk).where(Task.account_id == account.id, Task.status == "superseded")
    found = sa.select(Order.id).where(Order.id.in_(overtaken), Order.state == "applying").order_by(Order.id)
    for order_pk in db.session.scalars(found).all():
        if but is None or order_pk != but.id:
            finish_order(here, order_pk)
