"""What a person sees of their own account (reading only)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.agreement_texts import own_agreements
from idp.flows.here import Here
from idp.flows.sessions import LiveSession
from idp.models import Account, AffiliationRow, Client, Consent, Department, Link, Person, System
from policies.naming import display_name


@dataclass(frozen=True, slots=True)
class Door:
    """A client that a person can go to from here; `address` is where it begins the sign-in."""

    client_id: str
    name: str
    address: str


def overview(here: Here, session: LiveSession, language: str) -> dict[str, Any]:
    """Person, systems and agreements, as the account page shows them."""
    account = db.session.get_one(Account, session.account_id)
    return {
        "person": _person(account, language),
        "systems": _systems(account, language),
        "doors": doors(account.id),
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


def _systems(account: Account, language: str) -> list[dict[str, Any]]:
    rows = db.session.execute(
        sa.select(System.names, Link.active, Link.revision, Link.applied_revision)
        .join(System, System.code == Link.system)
        .where(Link.account_id == account.id)
        .order_by(Link.system)
    ).all()
    return [
        {
            "name": row.names[language],
            "active": row.active and row.applied_revision > 0,
            "standing": _standing(row.active, row.revision == row.applied_revision),
        }
        for row in rows
    ]


def doors(account_id: UUID) -> list[Door]:
    """The clients that can be gone to from here, signed in: those that said where (OIDC Core, 4), that the account may
    use, and that are the university's own or were let in by its person before."""
    active = sa.select(Link.system).where(Link.account_id == account_id, Link.active.is_(True))
    agreed = sa.exists().where(
        Consent.account_id == account_id, Consent.client_id == Client.id, Consent.withdrawn_at.is_(None)
    )
    rows = db.session.execute(
        sa.select(Client.client_id, Client.registration, agreed.label("agreed"))
        .where(Client.removed_at.is_(None), sa.or_(Client.system.is_(None), Client.system.in_(active)))
        .order_by(Client.created_at)
    ).all()
    return [
        Door(row.client_id, said.get("client_name") or row.client_id, said["initiate_login_uri"])
        for row in rows
        if (said := row.registration).get("initiate_login_uri") and (said.get("first_party") or row.agreed)
    ]


def _standing(wanted: bool, there: bool) -> str:
    if wanted:
        return "open" if there else "opening"
    return "closed" if there else "closing"
