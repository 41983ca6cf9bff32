"""Whom a line of an order is about: by identifiers alone, never by name (hr-orders, applying)."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, Person

IDENTIFIERS = {
    "employeeNo": Person.employee_no,
    "avnTeacherId": Person.teacher_no,
    "avnStudentId": Person.student_no,
}


def match_person(here: Here, body: Mapping[str, Any]) -> tuple[str, Person | None]:
    """The line's state, ``matched``, ``ambiguous`` or ``not_found``, and the person when there is exactly one."""
    ids = body["ids"]
    conditions = []
    if number := _personal_number(ids):
        conditions.append(Person.personal_number_print == here.service.vault.fingerprint(number))
    conditions += [column == ids[name] for name, column in IDENTIFIERS.items() if name in ids]
    if "accountId" in ids:
        owner = sa.select(Account.person_id).where(Account.id == UUID(ids["accountId"]))
        conditions.append(Person.id.in_(owner))
    found = db.session.scalars(sa.select(Person).where(sa.or_(*conditions))).all()
    if len(found) != 1:
        return ("ambiguous" if found else "not_found"), None
    return ("matched", found[0]) if _agrees(here, found[0], number) else ("ambiguous", None)


def create_person(here: Here, body: Mapping[str, Any]) -> Person:
    """A new person out of an opening line; names and contacts follow from the orders (`follow_orders`)."""
    name = body["name"]
    person = Person(family=name["family"], given=name["given"], created_at=here.now)
    db.session.add(person)
    db.session.flush()
    learn_identifiers(here, person, body)
    return person


def learn_identifiers(here: Here, person: Person, body: Mapping[str, Any]) -> bool:
    """Keep the identifiers the line tells and we did not have; whether there were any."""
    ids, vault, before = body["ids"], here.service.vault, _identifiers(person)
    number = _personal_number(ids)
    if number and person.personal_number_print is None:
        person.personal_number_print = vault.fingerprint(number)
        person.personal_number = vault.seal(number, f"person/{person.id}/personal_number")
    if "birthDate" in body and person.birth_date is None:
        person.birth_date = vault.seal(body["birthDate"], f"person/{person.id}/birth_date")
    person.employee_no = person.employee_no or ids.get("employeeNo")
    person.teacher_no = person.teacher_no or ids.get("avnTeacherId")
    person.student_no = person.student_no or ids.get("avnStudentId")
    return _identifiers(person) != before


def _identifiers(person: Person) -> tuple[object, ...]:
    return person.personal_number_print, person.employee_no, person.teacher_no, person.student_no


def _agrees(here: Here, person: Person, number: str | None) -> bool:
    """Found by another identifier, but with a different personal number: two people, so a human decides."""
    known = person.personal_number_print
    return number is None or known is None or known == here.service.vault.fingerprint(number)


def _personal_number(ids: Mapping[str, Any]) -> str | None:
    """The PIN, or what stands for it in a foreign document."""
    if "pin" in ids:
        return str(ids["pin"])
    document = ids.get("foreignDocument")
    return json.dumps([document["country"], document["number"]]) if document else None
