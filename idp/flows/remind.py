"""Reminding officers, and then ООЦИ, of what is due and overdue: one mail each on a working day (Regulation 3.5, 3.7)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.send_message import send_message
from idp.models import Account, AffiliationRow, Message, Officer, Task
from policies.deadlines import local_day
from policies.escalation import Load, escalates_before, is_time_to_remind, reminder
from policies.permissions import Appointment


def remind(here: Here) -> None:
    """Queue the mails of today, if it is time and nobody has done so."""
    today, calendar = local_day(here.now, here.service.zone), here.service.calendar
    if not is_time_to_remind(here.now, calendar, here.service.zone) or _reminded(today):
        return
    loads = list(_loads(today, escalates_before(today, calendar)))
    told = [account_id for account_id, appointments in _appointed().items()
            if _tell(here, account_id, appointments, loads, today)]  # fmt: skip
    if told:
        record(here, "reminded", after={"told": len(told)})


def _reminded(today: date) -> bool:
    return bool(db.session.scalar(sa.select(sa.exists().where(Message.key.startswith(f"digest/{today}/")))))


def _tell(
    here: Here, account_id: UUID, appointments: Iterable[Appointment], loads: Iterable[Load], today: date
) -> bool:
    found = reminder(appointments, loads, here.now)
    account = db.session.get_one(Account, account_id)
    if not found or not account.open_at(here.now):
        return False
    numbers = {"today": found.today, "overdue": found.overdue, "escalated": found.escalated, "stuck": found.stuck}
    link = f"{here.service.settings.base_url}/desk"
    return send_message(here, account, "digest", f"digest/{today}/{account_id}", to=account.email, link=link, **numbers)


def _appointed() -> dict[UUID, list[Appointment]]:
    rows = db.session.execute(
        sa.select(Officer.account_id, Officer.role, Officer.department, Officer.system, Officer.from_, Officer.until)
        .where(Officer.role.in_(["officer", "admin"]))
    )  # fmt: skip
    found: defaultdict[UUID, list[Appointment]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(Appointment(row.role, row.department, row.system, row.from_, row.until))
    return found


def _loads(today: date, escalated_before: date) -> Iterable[Load]:
    """Counted by the database: thousands of tasks may be open on a bad day."""
    with_officers = Task.status.in_(["manual", "failed"])
    counts = [
        sa.func.count(sa.distinct(sa.case((condition, Task.id)))).label(name)
        for name, condition in {
            "today": sa.and_(with_officers, Task.due_on == today),
            "overdue": sa.and_(with_officers, Task.due_on < today),
            "escalated": sa.and_(with_officers, Task.due_on < escalated_before),
            "stuck": sa.and_(Task.status == "waiting", Task.failures > 0),
        }.items()
    ]
    open_ones = sa.and_(Task.status.in_(["waiting", "manual", "failed"]), Task.due_on <= today)
    whole = sa.select(Task.system, sa.null().label("department"), *counts).where(open_ones).group_by(Task.system)
    by_department = (
        sa.select(Task.system, AffiliationRow.department, *counts)
        .join(Account, Account.id == Task.account_id)
        .join(AffiliationRow, AffiliationRow.person_id == Account.person_id)
        .where(open_ones, AffiliationRow.department.is_not(None))
        .group_by(Task.system, AffiliationRow.department)
    )
    statements: list[Any] = [whole, by_department]
    for statement in statements:
        yield from (Load(**row._mapping) for row in db.session.execute(statement))
