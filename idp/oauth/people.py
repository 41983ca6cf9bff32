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
from idp.oauth.clients import RegisteredClient
from idp.oauth.standing import WIDTH, StandingGrant, standing
from idp.oauth.subject import subject_for
from policies.claims import claims_for
from policies.naming import display_name

KNOWN = (
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
OF_GRANT = standing(*KNOWN).join(Person, Person.id == Account.person_id).where(Grant.id == sa.bindparam("grant"))
OF_ACCOUNT = sa.select(*KNOWN).join(Person, Person.id == Account.person_id).where(Account.id == sa.bindparam("account"))
SUB = sa.select(Account.sub).where(Account.id == sa.bindparam("account"))
BELONGS = sa.select(AffiliationRow.kind, AffiliationRow.department).where(
    AffiliationRow.person_id == sa.bindparam("person"),
    AffiliationRow.starts_on <= sa.bindparam("today"),
    sa.or_(AffiliationRow.ends_on.is_(None), AffiliationRow.ends_on >= sa.bindparam("today")),
    sa.or_(AffiliationRow.ended_at.is_(None), AffiliationRow.ended_at > sa.bindparam("now")),
)


def claims_of(here: Here, client: RegisteredClient, grant_id: UUID, scope: frozenset[str]) -> dict[str, Any] | None:
    """`sub` and the claims that `scope` and the `claims` parameter open at the userinfo endpoint, or None when the
    grant does not stand any more."""
    with reader().connect() as connection:
        row = connection.execute(OF_GRANT, {"grant": grant_id, "now": here.now}).one_or_none()
    if row is None:
        return None
    grant = StandingGrant(*row[:WIDTH])
    asked = frozenset((grant.claims or {}).get("userinfo") or ())
    told = claims_for(scope, _person(here, row), asked, client.metadata.claims)
    return {"sub": subject_for(here.service, client, grant.sub), **told}


def claims_of_account(
    here: Here, client: RegisteredClient, account_id: UUID, asked: frozenset[str], scope: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The claims of an ID token: those asked for one by one, and those of `scope` where no access token will fetch
    them (OIDC Core, 5.4)."""
    if not asked and not scope:
        return {}
    with reader().connect() as connection:
        row = connection.execute(OF_ACCOUNT, {"account": account_id}).one()
    return claims_for(scope, _person(here, row), asked, client.metadata.claims)


def sub_of(account_id: UUID) -> str:
    """The account's own `sub`; what a client is told is for `subject.py` to say."""
    with reader().connect() as connection:
        return str(connection.execute(SUB, {"account": account_id}).scalar_one())


def _person(here: Here, row: Any) -> dict[str, Any]:
    today: date = here.now.astimezone(here.service.zone).date()
    with reader().connect() as connection:
        values = {"person": row.person_id, "today": today, "now": here.now}
        belongs = connection.execute(BELONGS, values).all()
    return {**_known(row), **_belonging(belongs)}


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
