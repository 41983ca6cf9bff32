"""Accepting the agreement on the simple electronic signature (6.2, 6.3).

Owns the record of acceptance; whether one is missing is decided in `policies/agreement.py`, the text is the profile's.
"""

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Acceptance, Account


def accept_agreement(here: Here, account: Account, sha256: str) -> Refusal | None:
    """Note that the person behind `account` accepted the text with this hash: the one they saw, or nothing."""
    current = here.service.profile.agreement.current
    if sha256 != current.sha256:
        return Refusal("text-changed")
    known = db.session.scalar(
        sa.select(Acceptance).where(Acceptance.account_id == account.id, Acceptance.sha256 == sha256)
    )
    if known is not None:
        return None
    db.session.add(
        Acceptance(
            account_id=account.id, version=current.version, sha256=sha256, accepted_at=here.now, address=here.address
        )
    )
    after = {"version": current.version, "agreement_hash": sha256}
    record(here, "agreement-accepted", account, before={"version": None}, after=after)
    return None
