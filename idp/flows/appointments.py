"""Who answers for whom: appointing officers, and the officers a person may turn to (3.1, 5.7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Department, Officer, Person
from policies.naming import display_name
from policies.permissions import Appointment


@dataclass(frozen=True, slots=True)
class Contact:
    """A public contact of a responsible officer."""

    name: str
    department: str
    phone: str
    email: str


def contacts_for(departments: Collection[str], now: datetime, language: str) -> list[Contact]:
    """Whom people of these departments turn to; without any department, the officers for all of them."""
    rows = db.session.execute(
        sa.select(Person, Account.email, Officer.department)
        .join(Account, Account.person_id == Person.id)
        .join(Officer, Officer.account_id == Account.id)
        .where(
            Officer.role.in_(["officer", "admin"]),
            Officer.from_ <= now,
            sa.or_(Officer.until.is_(None), Officer.until > now),
            sa.or_(Account.closes_at.is_(None), Account.closes_at > now),
            sa.or_(Officer.department.is_(None), Officer.department.in_(departments)),
        )
        .order_by(Officer.department.is_(None), Person.family)
        .limit(5)
    ).all()
    names = {row.code: row.names for row in db.session.execute(sa.select(Department.code, Department.names))}
    return [
        Contact(
            name=display_name(person.given, person.family, person.patronymic),
            department=names[department].get(language, department) if department else "",
            phone=person.work_phone or "",
            email=email,
        )
        for person, email, department in rows
    ]


def appoint_officer(
    here: Here, account: Account, role: str, department: str | None, system: str | None, basis: str
) -> Officer:
    """Appoint an account from now on.  `basis` is the number and date of the order that appoints (3.1)."""
    officer = Officer(
        account_id=account.id, role=role, department=department, system=system, from_=here.now, until=None, basis=basis
    )
    db.session.add(officer)
    after = {"role": role, "department": department, "system": system, "basis": basis}
    record(here, "officer-appointed", account, before={}, after=after)
    return officer


def appointments_of(account_id: UUID) -> tuple[Appointment, ...]:
    """All that an account was ever appointed to, as the permissions table reads them."""
    columns = sa.select(Officer.role, Officer.department, Officer.system, Officer.from_, Officer.until)
    return tuple(Appointment(*row) for row in db.session.execute(columns.where(Officer.account_id == account_id)))
