"""What is known of the person behind a grant, under the names of the standard claims (OIDC Core, 5.1).

Which of it a client learns is decided in `policies/claims.py`; nothing else is read from the database.
"""

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from idp.db import reader
from idp.flows.here import Here
from idp.models import Account, AffiliationRow, Grant, Link, Person
from idp.oauth.clients import RegisteredClient
from idp.oauth.standing import WIDTH, StandingGrant, standing
from idp.oauth.subject import subject_for
from idp.service import Service
from policies.claims import CLAIMS, EVERY_CLAIM, address, claims_for, eduperson, opened, reach
from policies.naming import display_name

KNOWN = (
    Account.id.label("account_id"),
    Account.login,
    Account.email,
    Account.language,
    Person.id.label("person_id"),
    Person.given,
    Person.family,
    Person.patronymic,
    Person.work_phone,
)
OF_GRANT = standing(*KNOWN).join(Person, Person.id == Account.person_id).where(Grant.id == sa.bindparam("grant"))
OF_ACCOUNT = sa.select(*KNOWN).join(Person, Person.id == Account.person_id).where(Account.id == sa.bindparam("account"))
HOME = sa.select(Person.home_address).where(Person.id == sa.bindparam("person"))
SUB = sa.select(Account.sub).where(Account.id == sa.bindparam("account"))
BELONGS = sa.select(AffiliationRow.kind, AffiliationRow.department, AffiliationRow.student_group).where(
    AffiliationRow.person_id == sa.bindparam("person"),
    AffiliationRow.starts_on <= sa.bindparam("today"),
    AffiliationRow.lasts(sa.bindparam("today"), sa.bindparam("now")),
)
RIGHTS = sa.select(Link.attributes).where(
    Link.account_id == sa.bindparam("account"), Link.system == sa.bindparam("system"), Link.active.is_(True)
)
BY_AFFILIATION = frozenset((*CLAIMS["affiliation"], *CLAIMS["eduperson"]))
BY_RIGHT = frozenset((*CLAIMS["programs"], *CLAIMS["report_sections"]))


def claims_of(here: Here, client: RegisteredClient, grant_id: UUID, scope: frozenset[str]) -> dict[str, Any] | None:
    """`sub` and the claims that `scope` and the `claims` parameter open at the userinfo endpoint, or None when the
    grant does not stand any more."""
    with reader().connect() as connection:
        row = connection.execute(OF_GRANT, {"grant": grant_id, "now": here.now}).one_or_none()
        if row is None:
            return None
        grant = StandingGrant(*row[:WIDTH])
        asked = (grant.claims or {}).get("userinfo") or ()
        told = _told(connection, here, client, row, opened(scope, asked, _reach(here.service, client)))
    return {"sub": subject_for(here.service, client, grant.sub), **told}


def claims_of_account(
    here: Here, client: RegisteredClient, account_id: UUID, asked: frozenset[str], scope: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The claims of an ID token: those asked for one by one, and those of `scope` where no access token will fetch
    them (OIDC Core, 5.4)."""
    names = opened(scope, asked, _reach(here.service, client)) if asked or scope else ()
    if not names:
        return {}
    with reader().connect() as connection:
        row = connection.execute(OF_ACCOUNT, {"account": account_id}).one()
        return _told(connection, here, client, row, names)


def sub_of(account_id: UUID) -> str:
    """The account's own `sub`; what a client is told is for `subject.py` to say."""
    with reader().connect() as connection:
        return str(connection.execute(SUB, {"account": account_id}).scalar_one())


def _reach(service: Service, client: RegisteredClient) -> frozenset[str]:
    """What the client may learn at most; one whose system has left the profile, nothing."""
    of_system = EVERY_CLAIM
    if client.system is not None:
        of_system = next((one.claims for one in service.profile.systems if one.code == client.system), frozenset())
    return reach(client.metadata.scope, of_system, client.metadata.claims)


def _told(
    connection: Connection, here: Here, client: RegisteredClient, row: Any, names: Collection[str]
) -> dict[str, Any]:
    """The claims of these names; what none of them needs is not looked up."""
    person = _known(row)
    if BY_AFFILIATION.intersection(names):
        person |= _belonging(connection, here, row)
    if BY_RIGHT.intersection(names) and client.system is not None:
        person |= _entitled(connection, row, client.system)
    if "address" in names:
        person |= _home(connection, here, row.person_id)
    return claims_for(names, person)


def _known(row: Any) -> dict[str, Any]:
    """Addresses are given by the university itself, so they count as verified.  Of the phones, the one at work: the
    mobile one is the person's own."""
    return {
        "name": display_name(row.given, row.family, row.patronymic),
        "given_name": row.given,
        "family_name": row.family,
        "middle_name": row.patronymic,
        "preferred_username": row.login,
        "locale": row.language,
        "email": row.email,
        "email_verified": True,
        "phone_number": row.work_phone,
    }


def _belonging(connection: Connection, here: Here, row: Any) -> dict[str, Any]:
    """What the person is to the university today."""
    today = here.now.astimezone(here.service.zone).date()
    rows = connection.execute(BELONGS, {"person": row.person_id, "today": today, "now": here.now}).all()
    kinds = {one.kind for one in rows}
    return {
        "affiliation": kinds,
        "department": {one.department for one in rows if one.department},
        "student_group": {one.student_group for one in rows if one.student_group},
        **eduperson(kinds, row.login, here.service.profile.institution.domain),
    }


def _entitled(connection: Connection, row: Any, system: str) -> dict[str, Any]:
    """What the person may do in the client's own system, as `flows/want_access.py` keeps it; of no other."""
    attributes = connection.execute(RIGHTS, {"account": row.account_id, "system": system}).scalar() or {}
    return {name: tuple(attributes.get(name) or ()) for name in BY_RIGHT}


def _home(connection: Connection, here: Here, person_id: UUID) -> dict[str, Any]:
    """Where the person lives; unsealed for those alone who may know."""
    sealed = connection.execute(HOME, {"person": person_id}).scalar()
    home = json.loads(here.service.vault.open(sealed, f"person/{person_id}/home_address")) if sealed else {}
    return {"address": address(home)}
