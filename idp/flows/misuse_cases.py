"""The security officer's cases of reported unauthorised access: seeing them, closing them (Regulation 3.1, 5.4, 6.5)."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Account, MisuseReport, Person
from policies.naming import display_name
from policies.permissions import Whom, may
from policies.remarks import remark

MOST_ROWS = 200
LONGEST_RESULT = 2_000  # characters


def misuse_cases(here: Here) -> list[dict[str, Any]]:
    """The open ones first, the newest first; nobody sees one about themselves."""
    rows = db.session.execute(
        sa.select(MisuseReport, Account.login, Person)
        .join(Account, Account.id == MisuseReport.account_id)
        .join(Person, Person.id == Account.person_id)
        .order_by(MisuseReport.closed_at.is_not(None), MisuseReport.reported_at.desc())
        .limit(MOST_ROWS)
    )
    return [
        {"case": case, "login": login, "name": display_name(person.given, person.family, person.patronymic)}
        for case, login, person in rows
        if _may(here, case.account_id)
    ]


def has_open_case(account_id: UUID) -> bool:
    """Whether reported misuse of the account is looked into."""
    opened = sa.exists().where(MisuseReport.account_id == account_id, MisuseReport.closed_at.is_(None))
    return bool(db.session.scalar(sa.select(opened)))


def close_misuse_case(here: Here, case_id: UUID, result: str) -> Refusal | None:
    """Close the case with a written `result`.  None when done; refusals: ``result-required``, ``gone``.

    Raises `Forbidden` for who may not, and for a case that is not there.  The lock stays (5.7).
    """
    case = db.session.get(MisuseReport, case_id)
    if case is None or not _may(here, case.account_id):
        raise Forbidden("handle-misuse")
    written = remark(result, LONGEST_RESULT)
    if not written:
        return Refusal("result-required")
    account = db.session.get_one(Account, case.account_id)
    closed = db.session.execute(
        sa.update(MisuseReport)
        .where(MisuseReport.id == case_id, MisuseReport.closed_at.is_(None))
        .values(closed_at=here.now, closed_by=here.actor.removeprefix("account/"), result=written)
        .returning(MisuseReport.id)
    ).first()
    if closed is None:
        return Refusal("gone")
    record(here, "misuse-closed", account, before={"case": "open"}, after={"case": "closed", "result": written})
    return None


def _may(here: Here, account_id: UUID) -> bool:
    return here.who is not None and may("handle-misuse", here.who, Whom(str(account_id), frozenset(), None), here.now)
