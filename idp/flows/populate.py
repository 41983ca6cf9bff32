"""Many open accounts at once, for development and measurements."""

from datetime import timedelta
from itertools import cycle

import sqlalchemy as sa

from idp.crypto import new_token
from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, AffiliationRow, Credential, Department, Person
from policies.deadlines import local_day
from policies.naming import address
from policies.passwords import normalise


def populate(here: Here, accounts: int, password: str) -> int:
    """Make so many lecturers who share one password; how many were made."""
    first = (db.session.scalar(sa.select(sa.func.count()).select_from(Account)) or 0) + 1
    password_hash = here.service.hasher.hash(normalise(password))
    departments = cycle(db.session.scalars(sa.select(Department.code).order_by(Department.code)).all())
    for number in range(first, first + accounts):
        _make(here, f"person{number}", next(departments), password_hash)
    record(here, "populated", after={"accounts": accounts})
    return accounts


def _make(here: Here, login: str, department: str, password_hash: str) -> None:
    began = here.now - timedelta(days=365)
    names = {"family": "Мисалова", "given": login.capitalize(), "personal_email": f"{login}@example.org"}
    person = Person(created_at=began, **names)
    db.session.add(person)
    db.session.flush()
    starts_on = local_day(began, here.service.zone)
    db.session.add(AffiliationRow(person_id=person.id, kind="employee", department=department, starts_on=starts_on))
    account = Account(
        person_id=person.id,
        login=login,
        sub=new_token()[:22],
        email=address(login, here.service.profile.institution.domain),
        language=here.service.profile.institution.languages[0],
        opens_at=began,
        activated_at=began,
        created_at=began,
    )
    db.session.add(account)
    db.session.flush()
    db.session.add(Credential(account_id=account.id, password_hash=password_hash, set_at=began))
