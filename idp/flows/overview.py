"""What a person sees of their own account (reading only)."""

from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.agreement_texts import own_agreements
from idp.flows.here import Here
from idp.flows.launcher import tiles
from idp.flows.sessions import LiveSession
from idp.models import Account, AffiliationRow, Department, Person
from policies.naming import display_name


def overview(here: Here, session: LiveSession, language: str) -> dict[str, Any]:
    """Person, systems and agreements, as the account page shows them."""
    account = db.session.get_one(Account, session.account_id)
    return {
        "person": _person(account, language),
        "tiles": tiles(here, account, language),
        "agreements": own_agreements(here, account.id, language),
    }


def mask_email(address: str | None) -> str:
    """Enough of an address to recognise it: a…a@example.org."""
    if not address:
        return ""
    local, _, domain = address.partition("@")
    return f"{local[:1]}…{local[-1:]}@{domain}"


def _person(account: Account, language: str) -> dict[str, Any]:
    person = db.session.get_one(Person, account.person_id)
    latest = db.session.execute(
        sa.select(AffiliationRow.position, AffiliationRow.programme, Department.names)
        .join(Department, Department.code == AffiliationRow.department, isouter=True)
        .where(AffiliationRow.person_id == person.id)
        .order_by(AffiliationRow.starts_on.desc())
        .limit(1)
    ).one_or_none()
    return {
        "display_name": display_name(person.given, person.family, person.patronymic),
        "login": account.login,
        "email": account.email,
        "department": (latest.names or {}).get(language) if latest else None,
        "position": (latest.position or latest.programme) if latest else None,
        "personal_email": mask_email(person.personal_email),
    }
