"""Orders that wait for a second person: what the brakes stop, what may be a duplicate (hr-orders, "Brakes").

Whoever lets an order go on, or drops it, gives a reason.  An order that waits counts for nothing, and the version before
it stays in force.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.appointments import appointments_of
from idp.flows.follow_orders import lines_of
from idp.flows.here import Here
from idp.flows.order_moved import order_moved
from idp.flows.refusal import Refusal
from idp.flows.work import ORDERS, Work, leave_work
from idp.models import Account, Order, OrderLine, Person
from policies.access import primary, window
from policies.affiliations import ENDING
from policies.brakes import Brake, Closings, brake, never_unasked
from policies.deadlines import ONE_DAY, local_day, start_of
from policies.folding import fold
from policies.permissions import Whom, may
from policies.remarks import remark


@dataclass(frozen=True, slots=True)
class Closing:
    """An account that an order would close, and when."""

    account: Account
    at: datetime
    department: str | None


def hold_order(here: Here, order: Order) -> bool:
    """Have the order wait if it would close too much; whether it waits."""
    found = None if order.released_at else brake_of(here, order)
    if found is None:
        return False
    before, order.state, order.note, order.run_at = order.state, "needs_review", found.value, None
    order_moved(here, order, "order-held", {"state": before}, {"reason": found.value})
    return True


def brake_of(here: Here, order: Order) -> Brake | None:
    """Why the order would have to wait; the first version of one that ends nothing closes nothing."""
    if order.version == 1 and order.kind not in ENDING:
        return None
    closings = list(_closings(here, order))
    days = Counter(local_day(one.at, here.service.zone) for one in closings)
    counted = Closings(
        len(closings),
        max((count + _closed_anyway(here, day) for day, count in days.items()), default=0),
        any(_never_unasked(here, one) for one in closings),
        _open_accounts(here),
    )
    return brake(counted, here.service.profile.rules.brakes)


def release_order(here: Here, order: Order, reason: str) -> Refusal | None:
    """Let it go on.  Refusals: ``release-reason-required``, ``gone``, it does not wait any more.

    Raises `Forbidden` for who may not, and for whoever would be closed by it.
    """
    refusal = _settle(here, order, reason, "accepted")
    if refusal is None:
        order.run_at = here.now
        leave_work(Work("order", order.id, here.now, ORDERS, "orders"))
    return refusal


def drop_order(here: Here, order: Order, reason: str) -> Refusal | None:
    """Leave it undone for good; a later version of it is looked at anew.  As `release_order`."""
    return _settle(here, order, reason, "cancelled")


def _settle(here: Here, order: Order, reason: str, state: str) -> Refusal | None:
    if here.who is None or any(not may("release-order", here.who, whom, here.now) for whom in _concerned(order)):
        raise Forbidden("release-order")
    told = remark(reason)
    if not told:
        return Refusal("release-reason-required")
    moved = (
        sa.update(Order)
        .where(Order.id == order.id, Order.held, Order.state == "needs_review")
        .values(state=state, **({"released_at": here.now, "released_by": here.actor} if state == "accepted" else {}))
        .returning(Order.id)
    )
    if db.session.execute(moved).first() is None:
        return Refusal("gone")
    db.session.refresh(order)
    act = "order-released" if state == "accepted" else "order-dropped"
    order_moved(here, order, act, {"state": "needs_review"}, {"state": state, "reason": told})
    return None


def _concerned(order: Order) -> list[Whom]:
    accounts = sa.select(Account.id).where(Account.person_id.in_(_named(order)))
    return [Whom(None, frozenset(), None), *(Whom(str(one), frozenset(), None) for one in db.session.scalars(accounts))]


def _named(order: Order) -> sa.Select[UUID | None]:
    """Everybody whom any version of the order names."""
    same = (Order.source == order.source, Order.order_id == order.order_id)
    return sa.select(OrderLine.person_id).join(Order, Order.id == OrderLine.order_pk).where(*same)


def _closings(here: Here, order: Order) -> Iterator[Closing]:
    """The accounts that are open, or will be, and that the order would close, or close earlier."""
    today = local_day(here.now, here.service.zone)
    accounts = (
        sa.select(Account, Person.id).join(Person).where(Person.id.in_(_named(order)), Account.closed_at.is_(None))
    )
    for account, person_id in db.session.execute(accounts).all():
        before = fold(lines_of(here, person_id, without=order), today).affiliations
        after = fold(lines_of(here, person_id, instead=order), today).affiliations
        was, is_now = (window(one, here.service.zone, here.now)[1] for one in (before, after))
        if not after or (is_now is not None and (was is None or is_now < was)):
            standing = primary(before, today)
            yield Closing(account, is_now or here.now, standing.department if standing else None)


def _closed_anyway(here: Here, day: date) -> int:
    """How many accounts other orders close on that day."""
    first, last = start_of(day, here.service.zone), start_of(day + ONE_DAY, here.service.zone)
    that_day = sa.select(sa.func.count(Account.id)).where(Account.closes_at >= first, Account.closes_at < last)
    return db.session.scalar(that_day) or 0


def _open_accounts(here: Here) -> int:
    lasting = sa.or_(Account.closes_at.is_(None), Account.closes_at > here.now)
    return db.session.scalar(sa.select(sa.func.count(Account.id)).where(Account.opens_at.is_not(None), lasting)) or 0


def _never_unasked(here: Here, one: Closing) -> bool:
    return never_unasked(appointments_of(one.account.id), one.department, here.service.profile.rules.brakes, here.now)
