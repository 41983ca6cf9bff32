"""Looking a person up, for whoever answers for them (Regulation 3.1, 3.7, 5.7): how the account and each system stand.

Reads only.  Whom an officer may not act on is like somebody who is not there.
"""

from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.access_decisions import decisions_shown
from idp.flows.departments import departments_ever, departments_now
from idp.flows.execution_sheet import tasks_of
from idp.flows.here import Here
from idp.flows.misuse_cases import has_open_case
from idp.models import Account, AffiliationRow, Department, Factor, Lockout, Person, Session
from policies.naming import canonical_login, display_name
from policies.permissions import Whom, is_current, may

MOST_ROWS = 50
LONGEST_WORDS = 100  # characters


def find_people(here: Here, entered: str, language: str) -> list[dict[str, Any]]:
    """Who is meant by the beginning of a login, by a number of HR's, or by family name and given name.

    At most `MOST_ROWS`; empty when nothing was entered.
    """
    words = entered[:LONGEST_WORDS].replace("\x00", "").split()  # a NUL no database takes
    if not words:
        return []
    rows = db.session.execute(
        sa.select(Account, Person)
        .join(Person, Person.id == Account.person_id)
        .where(sa.or_(_by_login(words), _by_number(words), _by_name(words)), _within_reach(here))
        .order_by(Person.family, Person.given, Account.login)
        .limit(MOST_ROWS)
    ).all()
    of = departments_ever(row.Person.id for row in rows)
    names = _department_names(language)
    return [
        {
            "id": account.id,
            "login": account.login,
            "name": display_name(person.given, person.family, person.patronymic),
            "department": ", ".join(names[code] for code in sorted(of.get(person.id, ()))),
        }
        for account, person in rows
        if _may(here, "see-person", account, of.get(person.id, frozenset()))
    ]


def person_sheet(here: Here, account: Account, language: str) -> dict[str, Any]:
    """All that an officer acts upon, and what the officer may do now.  Raises `Forbidden`."""
    ever = departments_ever([account.person_id]).get(account.person_id, frozenset())
    if not _may(here, "see-person", account, ever):
        raise Forbidden("see-person")
    now = departments_now(here, [account.person_id]).get(account.person_id, frozenset())
    person = db.session.get_one(Person, account.person_id)
    acts = ("lift-lockout", "issue-activation", "reset-factors")
    return {
        "account": account,
        "name": display_name(person.given, person.family, person.patronymic),
        "standing": "open" if account.open_at(here.now) else _not_open(here, account),
        "affiliations": _affiliations(person, language),
        "locked_at": db.session.scalar(sa.select(sa.func.min(Lockout.locked_at)).where(Lockout.login == account.login)),
        "case_open": has_open_case(account.id),
        "factors": _count(Factor, Factor.account_id == account.id, Factor.confirmed_at.is_not(None)),
        "sessions": _count(Session, Session.account_id == account.id, Session.ended_at.is_(None)),
        "signed_in_at": db.session.scalar(
            sa.select(sa.func.max(Session.authenticated_at)).where(Session.account_id == account.id)
        ),
        "tasks": tasks_of(here, account, language),
        **decisions_shown(here, account, language),
        "may": {act for act in acts if _may(here, act, account, now)},
    }


def _not_open(here: Here, account: Account) -> str:
    later = account.opens_at is not None and here.now < account.opens_at
    return "later" if later else "closed" if account.closes_at is not None else "never"


def _count(model: Any, *which: sa.ColumnElement[bool]) -> int:
    return db.session.scalar(sa.select(sa.func.count(model.id)).where(*which)) or 0


def _affiliations(person: Person, language: str) -> list[dict[str, Any]]:
    names = _department_names(language)
    rows = db.session.scalars(
        sa.select(AffiliationRow)
        .where(AffiliationRow.person_id == person.id)
        .order_by(AffiliationRow.starts_on.desc(), AffiliationRow.id)
    )
    return [
        {
            "what": row.position or row.programme or row.student_group or "",
            "department": names.get(row.department or "", ""),
            "starts_on": row.starts_on,
            "ends_on": row.ends_on,
        }
        for row in rows
    ]


def _department_names(language: str) -> dict[str, str]:
    rows = db.session.execute(sa.select(Department.code, Department.names))
    return {row.code: row.names[language] for row in rows}


def _may(here: Here, act: str, account: Account, departments: frozenset[str]) -> bool:
    return here.who is not None and may(act, here.who, Whom(str(account.id), departments, None), here.now)


def _by_login(words: list[str]) -> sa.ColumnElement[bool]:
    login = canonical_login(words[0]).partition("@")[0]
    return Account.login.startswith(login, autoescape=True) if login and len(words) == 1 else sa.false()


def _by_number(words: list[str]) -> sa.ColumnElement[bool]:
    if len(words) > 1:
        return sa.false()
    number = int(words[0]) if words[0].isascii() and words[0].isdigit() and len(words[0]) <= 9 else None
    numbers = [Person.teacher_no == number, Person.student_no == number] if number is not None else []
    return sa.or_(Person.employee_no == words[0], *numbers)


def _by_name(words: list[str]) -> sa.ColumnElement[bool]:
    """In either order; databases differ in what case means beyond ASCII, so names are looked for as they are written."""
    first, second = _as_written(words[0]), _as_written(words[1]) if len(words) > 1 else ""
    pairs = (
        ((Person.family, Person.given), (Person.given, Person.family)) if second else ((Person.family, Person.given),)
    )
    return sa.or_(
        *(
            sa.and_(one.startswith(first, autoescape=True), other.startswith(second, autoescape=True))
            for one, other in pairs
        )
    )


def _as_written(name: str) -> str:
    """A name typed in any case, as orders write it: Асанова-Петрова."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _within_reach(here: Here) -> sa.ColumnElement[bool]:
    """Before the rows are counted off; the permissions table decides."""
    current = [one for one in here.who.appointments if is_current(one, here.now)] if here.who else []
    if any(one.role != "officer" or one.department is None for one in current):
        return sa.true()
    departments = {one.department for one in current}
    return Person.id.in_(sa.select(AffiliationRow.person_id).where(AffiliationRow.department.in_(departments)))
