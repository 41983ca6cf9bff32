"""A person agrees to what a client asks for (OIDC Core, 3.1.2.4; RFC 9396, 2).

Owns how new consent joins the old.  Whether something is left to ask is decided in `idp/oauth/consent.py` and
`policies/interaction.py`; what is asked stands in the waiting request, never in a form.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db, insert
from idp.flows.here import Here
from idp.flows.record import Named, record
from idp.models import Client, Consent

MOST_DETAILS = 100  # authorization details that are remembered of one client, the latest; older ones are asked again
TABLE = cast(sa.Table, Consent.__table__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks of a person: scopes, single claims (OIDC Core, 5.5), resources (RFC 8707), authorization
    details (RFC 9396)."""

    scopes: Collection[str]
    claims: Collection[str]
    resources: Collection[str]
    authorization_details: Sequence[dict[str, Any]]


def give_consent(here: Here, account: Named, client_row: UUID, asked: Asked) -> None:
    """Remember that the person behind `account` agreed to all of `asked`, beside what they agreed to before.

    What was withdrawn stays withdrawn: agreeing again begins from nothing.
    """
    consent = _row(here, account.id, client_row)
    before = _said(consent)
    if consent.withdrawn_at is not None:
        consent.scopes, consent.claims, consent.resources, consent.authorization_details = [], [], [], []
    new_details = [detail for detail in asked.authorization_details if detail not in consent.authorization_details]
    consent.scopes = sorted({*consent.scopes, *asked.scopes})
    consent.claims = sorted({*consent.claims, *asked.claims})
    consent.resources = sorted({*consent.resources, *asked.resources})
    consent.authorization_details = [*consent.authorization_details, *new_details][-MOST_DETAILS:]
    consent.given_at, consent.withdrawn_at = here.now, None
    client_id = db.session.get_one(Client, client_row).client_id
    record(here, "consent-given", account, subject=f"client/{client_id}", before=before, after=_said(consent))


def _row(here: Here, account_id: UUID, client_row: UUID) -> Consent:
    """The one row of this account and client, locked until the end of the transaction; two pages at once make one."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "account_id": account_id,
        "client_id": client_row,
        "scopes": [],
        "claims": [],
        "resources": [],
        "authorization_details": [],
        "given_at": here.now,
    }
    db.session.connection().execute(insert(TABLE).values(values).on_conflict_do_nothing())
    which = sa.select(Consent).where(Consent.account_id == account_id, Consent.client_id == client_row)
    return db.session.scalars(which.with_for_update().execution_options(populate_existing=True)).one()


def _said(consent: Consent) -> dict[str, Any]:
    """As the audit trail shows it; «authorization_details» would look like a secret there."""
    if consent.withdrawn_at is not None:
        return {"scopes": [], "claims": [], "resources": [], "details": []}
    return {
        "scopes": list(consent.scopes),
        "claims": list(consent.claims),
        "resources": list(consent.resources),
        "details": list(consent.authorization_details),
    }
