"""Lifting a lockout: only by the officer of the person's department, or ООЦИ, with a reason (Regulation 5.7)."""

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.departments import departments_of
from idp.flows.here import Here
from idp.flows.misuse_cases import has_open_case
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.models import Account, Lockout
from policies.permissions import Whom, may


def lift_lockout(here: Here, account: Account, reason: str) -> Refusal | None:
    """Unlock `account`'s login.  None when done; refusals: ``reason-required``, ``case-open`` (misuse was reported
    and is looked into, 6.5), ``gone`` (not locked any more).

    Raises `Forbidden` when the permissions table says no: another department's officer, or oneself.
    """
    whom = Whom(str(account.id), departments_of(here, account), None)
    if here.who is None or not may("lift-lockout", here.who, whom, here.now):
        raise Forbidden("lift-lockout")
    if not reason.strip():
        return Refusal("reason-required")
    if _is_looked_into(account):
        return Refusal("case-open")
    lifted = db.session.execute(
        sa.update(Lockout)
        .where(Lockout.login == account.login, Lockout.locked_at.is_not(None))
        .values(attempts=0, locked_at=None, last_print=None)
        .returning(Lockout.login)
    ).one_or_none()
    if lifted is None:
        return Refusal("gone")
    after = {"locked": False, "reason": reason.strip()}
    record(here, "lockout-lifted", account, before={"locked": True}, after=after)
    send_message(here, account, "unlocked", f"unlocked/{account.login}/{here.now.isoformat()}")
    return None


def _is_looked_into(account: Account) -> bool:
    """A report of misuse that runs now holds the lockout's row, and is waited for."""
    db.session.execute(sa.select(Lockout.login).where(Lockout.login == account.login).with_for_update())
    return has_open_case(account.id)
