"""A person takes back what they agreed to: the client loses what it holds, and has to ask again."""

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import Named, record
from idp.models import Client, Consent, Grant


def withdraw_consent(here: Here, account: Named, client_id: str) -> bool:
    """Withdraw the consent and revoke every grant of this account at this client; False when there was none to withdraw."""
    client = sa.select(Client.id).where(Client.client_id == client_id).scalar_subquery()
    withdrawn = db.session.execute(
        sa.update(Consent)
        .where(Consent.account_id == account.id, Consent.client_id == client, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=here.now)
        .returning(Consent.scopes, Consent.claims, Consent.resources)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if withdrawn is None:
        return False
    revoked = db.session.execute(
        sa.update(Grant)
        .where(Grant.account_id == account.id, Grant.client_id == client, Grant.revoked_at.is_(None))
        .values(revoked_at=here.now, revoke_reason="consent withdrawn")
        .returning(Grant.id)
        .execution_options(synchronize_session=False)
    ).all()
    before = {**withdrawn._mapping, "open_grants": len(revoked)}
    after = {"scopes": [], "claims": [], "resources": [], "open_grants": 0}
    record(here, "consent-withdrawn", account, subject=f"client/{client_id}", before=before, after=after)
    return True
