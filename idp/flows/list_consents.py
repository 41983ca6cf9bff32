"""What a person agreed to and has not taken back, for the page of their account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.models import Client, Consent


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """One system, and what it may have; `details` are the types of the authorization details agreed to."""

    client_id: str
    client_name: str
    scopes: Sequence[str]
    claims: Sequence[str]
    resources: Sequence[str]
    details: Sequence[str]
    given_at: datetime


def list_consents(account_id: UUID) -> list[GivenConsent]:
    """The latest first; systems that are gone are left out."""
    rows = db.session.execute(
        sa.select(Consent, Client.client_id, Client.registration)
        .join(Client, Client.id == Consent.client_id)
        .where(Consent.account_id == account_id, Consent.withdrawn_at.is_(None), Client.removed_at.is_(None))
        .order_by(Consent.given_at.desc(), Consent.id.desc())
    ).all()
    return [
        GivenConsent(
            client_id=client_id,
            client_name=registration.get("client_name") or client_id,
            scopes=consent.scopes,
            claims=consent.claims,
            resources=consent.resources,
            details=sorted({str(detail.get("type")) for detail in consent.authorization_details}),
            given_at=consent.given_at,
        )
        for consent, client_id, registration in rows
    ]
