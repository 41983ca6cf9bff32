"""What people say of themselves (Regulation 3.6): making, reading and settling a statement.

Owns the rows, and that each is settled once.  Leaves alone what follows (`change_profile.py`, `confirm_change.py`,
`prove_address.py`).
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from uuid_utils.compat import uuid7

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, Person, Statement
from policies.profile_changes import Own

WAITING, CONFIRMED, REFUSED, WITHDRAWN = "waiting", "confirmed", "refused", "withdrawn"


def state(here: Here, person: Person, field: str, value: Any, counts: bool) -> Statement:
    """The person wants `field` to be `value`.  It counts at once, or waits in place of whatever waited for the field."""
    waiting = (Statement.person_id == person.id, Statement.field == field, Statement.state == WAITING)
    db.session.execute(_settling(here, WITHDRAWN).where(*waiting))
    statement = Statement(
        id=uuid7(), person_id=person.id, field=field, state=CONFIRMED if counts else WAITING, stated_at=here.now
    )
    statement.value = here.service.vault.seal(json.dumps(value, ensure_ascii=False), f"statement/{statement.id}")
    if counts:
        statement.settled_at, statement.settled_by = here.now, here.actor.removeprefix("account/")
    db.session.add(statement)
    db.session.flush()
    return statement


def settle(here: Here, statement_id: UUID, outcome: str, reason: str | None = None) -> bool:
    """One statement: of those who settle it at once, one does and the others learn that they did not."""
    waiting = _settling(here, outcome, reason).where(Statement.id == statement_id, Statement.state == WAITING)
    return db.session.scalar(waiting.returning(Statement.id)) is not None


def value_of(here: Here, statement: Statement) -> Any:
    """What the person said."""
    return json.loads(here.service.vault.open(statement.value, f"statement/{statement.id}"))


def own_statements(here: Here, person: Person) -> dict[str, Own]:
    """By field, the newest that counts."""
    confirmed = sa.select(Statement).where(Statement.person_id == person.id, Statement.state == CONFIRMED)
    found = db.session.scalars(confirmed.order_by(Statement.settled_at, Statement.id))
    return {one.field: Own(value_of(here, one), one.settled_at) for one in found if one.settled_at is not None}


def waiting_of(person: Person) -> Sequence[Statement]:
    """What waits to count, the oldest first."""
    waiting = sa.select(Statement).where(Statement.person_id == person.id, Statement.state == WAITING)
    return db.session.scalars(waiting.order_by(Statement.id)).all()


def refused_of(person: Person) -> Sequence[Statement]:
    """What was refused, as long as the person has said nothing else of the field."""
    newer = orm.aliased(Statement)
    since = sa.exists().where(
        newer.person_id == Statement.person_id, newer.field == Statement.field, newer.id > Statement.id
    )
    refused = sa.select(Statement).where(Statement.person_id == person.id, Statement.state == REFUSED, ~since)
    return db.session.scalars(refused.order_by(Statement.id)).all()


def account_of(statement: Statement) -> Account:
    """Whose it is."""
    return db.session.scalars(sa.select(Account).where(Account.person_id == statement.person_id)).one()


def _settling(here: Here, outcome: str, reason: str | None = None) -> sa.Update:
    by = here.actor.removeprefix("account/")
    settled = {"state": outcome, "settled_at": here.now, "settled_by": by, "reason": reason}
    return sa.update(Statement).values(settled).execution_options(synchronize_session="fetch")
