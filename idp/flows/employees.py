"""Employees as an HR system sees them over SCIM: everybody who has an employee number, and their departments.

Owns reading.  Leaves alone what changes them (`person_by_orders.py`), and the protocol.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, AffiliationRow, Department, Order, OrderLine, Person, ScimExternalId, ScimPerson
from policies.affiliations import Kind
from policies.deadlines import local_day
from policies.person_orders import Employee, Post


@dataclass(frozen=True, slots=True)
class Seen:
    """One employee as of now; `posts` are the employments that last, the first of them told first."""

    id: UUID
    employee: Employee
    posts: tuple[Post, ...]
    external_id: str | None
    email: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """A department, and who works there now: id and name of each."""

    code: str
    name: str
    members: tuple[tuple[UUID, str], ...]


IS_SEEN = sa.and_(
    Person.employee_no.is_not(None),
    ~sa.exists().where(ScimPerson.employee_no == Person.employee_no, ScimPerson.deleted_at.is_not(None)),
)


def count_employees(condition: sa.ColumnElement[bool]) -> int:
    """How many the condition holds for."""
    return db.session.scalar(sa.select(sa.func.count(Person.id)).where(IS_SEEN, condition)) or 0


def employees(
    here: Here, client_id: str, condition: sa.ColumnElement[bool], start: int = 0, most: int | None = None
) -> list[Seen]:
    """Those the condition holds for, in the order in which they came; `start` counts from 0."""
    page = sa.select(Person).where(IS_SEEN, condition).order_by(Person.id).offset(start).limit(most)
    return _seen(here, client_id, db.session.scalars(page.execution_options(populate_existing=True)).all())


def employee(here: Here, client_id: str, person_id: UUID) -> Seen | None:
    """That one, if an HR system may see them."""
    found = employees(here, client_id, Person.id == person_id)
    return found[0] if found else None


def _seen(here: Here, client_id: str, people: Sequence[Person]) -> list[Seen]:
    ids, numbers = [person.id for person in people], [person.employee_no for person in people]
    accounts = {one.person_id: one.email for one in db.session.scalars(_of(Account, ids))}
    posts: dict[UUID, list[AffiliationRow]] = defaultdict(list)
    work = _of(AffiliationRow, ids).where(AffiliationRow.kind == Kind.EMPLOYEE.value)
    for row in db.session.scalars(work.order_by(AffiliationRow.starts_on, AffiliationRow.id)):
        posts[row.person_id].append(row)
    remembered = sa.select(ScimPerson).where(ScimPerson.employee_no.in_(numbers))
    kept = {one.employee_no: one for one in db.session.scalars(remembered.execution_options(populate_existing=True))}
    own = _of(ScimExternalId, ids).where(ScimExternalId.client_id == client_id)
    names = {one.person_id: one.external_id for one in db.session.scalars(own)}
    changed = _changed(ids)
    return [
        _one(here, person, posts[person.id], kept.get(person.employee_no or ""), names.get(person.id),
             accounts.get(person.id), changed.get(person.id, person.created_at))
        for person in people
    ]  # fmt: skip


def _of(model: Any, ids: Iterable[UUID]) -> Any:
    return sa.select(model).where(model.person_id.in_(ids)).execution_options(populate_existing=True)


def _changed(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the last order about each arrived."""
    latest = (
        sa.select(OrderLine.person_id, sa.func.max(Order.received_at))
        .join(Order, Order.id == OrderLine.order_pk)
        .where(OrderLine.person_id.in_(ids))
        .group_by(OrderLine.person_id)
    )
    return {person_id: at for person_id, at in db.session.execute(latest) if person_id is not None}


def _one(
    here: Here, person: Person, rows: list[AffiliationRow], kept: ScimPerson | None, name: str | None,
    email: str | None, changed_at: datetime,
) -> Seen:  # fmt: skip
    today = local_day(here.now, here.service.zone)
    lasting = [row for row in rows if _lasts(row, today, here.now)]
    shown = lasting[0] if lasting else max(rows, key=lambda row: (row.ends_on or date.max, row.id), default=None)
    department, title = (shown.department, shown.position) if shown else (None, None)
    if kept is not None and not lasting:
        department, title = kept.department or department, kept.title or title
    told = Employee(person.employee_no or "", person.family, person.given, person.patronymic,
                    department or "", title or "", bool(lasting))  # fmt: skip
    posts = tuple(
        Post(row.department or "", row.position or "", row.employment_id, row.rate, row.employment_type,
             row.starts_on <= today)
        for row in lasting
    )  # fmt: skip
    return Seen(person.id, told, posts, name, email, person.created_at, changed_at)


def _lasts(row: AffiliationRow, today: date, now: datetime) -> bool:
    """As `AffiliationRow.lasts` asks the database."""
    return (row.ends_on is None or row.ends_on >= today) and (row.ended_at is None or row.ended_at > now)


def units(here: Here, code: str | None = None, with_members: bool = True) -> list[Unit]:
    """The departments by code, or that one; with those who work there now, where they are wanted."""
    chosen = sa.true() if code is None else Department.code == code
    members: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
    if with_members:
        work = AffiliationRow.lasts(local_day(here.now, here.service.zone), here.now)
        there = sa.select(AffiliationRow.department, Person.id, Person.family, Person.given).join(Person).where(
            IS_SEEN, work, AffiliationRow.kind == Kind.EMPLOYEE.value)  # fmt: skip
        there = there if code is None else there.where(AffiliationRow.department == code)
        for department, person_id, family, given in db.session.execute(there.distinct().order_by(Person.id)):
            members[department or ""].append((person_id, f"{family} {given}"))
    language = here.service.profile.institution.languages[0]
    found = db.session.scalars(sa.select(Department).where(chosen).order_by(Department.code))
    return [Unit(one.code, str(one.names.get(language, one.code)), tuple(members[one.code])) for one in found]
