"""HR confirms or refuses what people ask to be changed: name and scope of duties (Regulation 3.6)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.change_profile import take_effect
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.statements import CONFIRMED, REFUSED, WAITING, account_of, settle, value_of
from idp.flows.write_person import hold_person
from idp.models import Account, Person, Statement
from policies.naming import display_name
from policies.permissions import Whom, may
from policies.profile_changes import WAYS, Way
from policies.remarks import remark

MOST_ROWS = 200
OF_HR = [name for name, way in WAYS.items() if way is Way.BY_HR]


def waiting_changes(here: Here) -> list[dict[str, Any]]:
    """What waits for HR, the oldest first; nobody sees their own."""
    rows: Sequence[Any] = db.session.execute(
        sa.select(Statement, Account, Person)
        .join(Person, Person.id == Statement.person_id)
        .join(Account, Account.person_id == Person.id)
        .where(Statement.state == WAITING, Statement.field.in_(OF_HR))
        .order_by(Statement.stated_at, Statement.id)
        .limit(MOST_ROWS)
    ).all()
    return [
        {
            "id": statement.id,
            "field": statement.field,
            "since": statement.stated_at,
            "login": account.login,
            "name": display_name(person.given, person.family, person.patronymic),
            "before": getattr(person, statement.field),
            "after": value_of(here, statement),
        }
        for statement, account, person in rows
        if _may(here, account)
    ]


def confirm_change(here: Here, statement_id: UUID) -> Refusal | None:
    """Let it count: every system follows, the person is told.  Refusal: ``gone``, it is decided or taken back.

    Raises `Forbidden` for who may not, for one's own, and for what HR has no word in.
    """
    statement, account = _deciding(here, statement_id)
    hold_person(statement.person_id)
    if not settle(here, statement.id, CONFIRMED):
        return Refusal("gone")
    record(here, "change-confirmed", account, after={statement.field: value_of(here, statement)})
    take_effect(here, statement)
    _tell(here, account, statement)
    return None


def refuse_change(here: Here, statement_id: UUID, reason: str) -> Refusal | None:
    """Let it be, with a written `reason`.  Refusals: ``refusal-reason-required``, ``gone``.  Raises `Forbidden`."""
    statement, account = _deciding(here, statement_id)
    why = remark(reason)
    if not why:
        return Refusal("refusal-reason-required")
    if not settle(here, statement.id, REFUSED, why):
        return Refusal("gone")
    record(here, "change-refused", account, after={statement.field: value_of(here, statement), "reason": why})
    _tell(here, account, statement, why)
    return None


def _deciding(here: Here, statement_id: UUID) -> tuple[Statement, Account]:
    statement = db.session.get(Statement, statement_id)
    if statement is None or statement.field not in OF_HR:
        raise Forbidden("confirm-change")
    account = account_of(statement)
    if not _may(here, account):
        raise Forbidden("confirm-change")
    return statement, account


def _may(here: Here, account: Account) -> bool:
    whom = Whom(str(account.id), frozenset(), None)
    return here.who is not None and may("confirm-change", here.who, whom, here.now)


def _tell(here: Here, account: Account, statement: Statement, reason: str | None = None) -> None:
    key = f"change-decided/{statement.id}"
    send_message(here, account, "change-decided", key, field=statement.field, reason=reason)
