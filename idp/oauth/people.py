"""What is known of the person behind a grant, under the names of the standard claims (OIDC Core, 5.1).

Which of it a client learns is decided in `policies/claims.py`.
"""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import reader
from idp.flows.here import Here
from idp.models import Account, AffiliationRow, Grant, Person
from idp.oauth.standing import WIDTH, StandingGrant, standing
from policies.claims import claims_for
from policies.naming import display_name

PERSON = (
    standing(
        Account.login,
        Account.email,
        Account.language,
        Person.id.label("person_id"),
        Person.given,
        Person.family,
        Person.patronymic,
        Person.work_phone,
        Person.mobile_phone,
    )
    .join(Person, Person.id == Account.person_id)
    .where(Grant.id == sa.bindparam("grant"))
)
BELONGS = sa.select(AffiliationRow.kind, AffiliationRow.department).where(
    AffiliationRow.person_id == sa.bindparam("person"),
    AffiliationRow.starts_on <= sa.bindparam("today"),
    sa.or_(AffiliationRow.ends_on.is_(None), AffiliationRow.ends_on >= sa.bindparam("today")),
    sa.or_(AffiliationRow.ended_at.is_(None), AffiliationRow.ended_at > sa.bindparam("now")),
)


def claims_of(here: Here, grant_id: UUID, scope: frozenset[str]) -> dict[str, Any] | None:
    """`sub` and the claims that `scope` opens, or None when the grant does not stand any more."""
    today: date = here.now.astimezone(here.service.zone).date()
    with reader().connect() as connection:
        row = connection.execute(PERSON, {"grant": grant_id, "now": here.now}).one_or_none()
        if row is None:
            return None
        values = {"person": row.person_id, "today": today, "now": here.now}
        belongs = connection.execute(BELONGS, values).all() if "affiliation" in scope else []
    return {"sub": StandingGrant(*row[:WIDTH]).sub, **claims_for(scope, {**_known(row), **_belonging(belongs)})}


def _known(row: Any) -> dict[str, Any]:
    """Addresses are given by the university itself, so they count as verified."""
    return {
        "name": display_name(row.given, row.family, row.patronymic),
        "given_name": row.given,
        "family_name": row.family,
        "middle_name": row.patronymic,
        "preferred_username": row.login,
        "locale": row.language,
        "email": row.email,
        "email_verified": True,
        "phone_number": row.work_phone or row.mobile_phone,
    }


def _belonging(rows: Any) -> dict[str, Any]:
    return {
        "affiliation": {row.kind for row in rows},
        "department": {row.department for row in rows if row.department},
    }
