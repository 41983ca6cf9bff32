"""Lifting a lockout: only by the officer of the person's department, or ООЦИ, with a reason (Regulation 5.7)."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

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
from policies.remarks import remark


def lift_lockout(here: Here, account: Account, reason: str) -> Refusal | None:
    """Unlock `account`'s login.  None when done; refusals: ``reason-required``, ``case-open`` (misuse was reported
    and is looked into, 6.5), ``gone`` (not locked any more).

    Raises `Forbidden` when the permissions table says no: another department's officer, or oneself.
    """
    whom = Whom(str(account.id), departments_of(here, account), None)
    if here.who is None or not may("lift-lockout", here.who, whom, here.now):
        raise Forbidden("lift-lockout")
    told = remark(reason)
    if not told:
        return Refusal("reason-required")
    if _is_looked_into(account):
        return Refusal("case-open")
    lifted = db.session.execute(
        sa.update(Lockout)
        .where(Lockout.login == account.login, Lockout.locked_at.is_not(None))
        .values(attempts=0, locked_at=None, last_print=None)
        .returning(Lockout.login)
    ).first()
    if lifted is None:
        return Refusal("gone")
    after = {"locked": False, "reason": told}
    record(here, "lockout-lifted", account, before={"locked": True}, after=after)
    send_message(here, account, "unlocked", f"unlocked/{account.login}/{here.now.isoformat()}")
    return None


def lift_lockouts(here: Here, account_ids: Iterable[UUID], reason: str) -> dict[str, Refusal | None]:
    """Each for itself, with one reason; the answer of each by login.  What is not the officer's to lift is like what is
    not there: it has none."""
    answers: dict[str, Refusal | None] = {}
    for account_id in dict.fromkeys(account_ids):
        account = db.session.get(Account, account_id)
        if account is not None:
            with suppress(Forbidden):
                answers[account.login] = lift_lockout(here, account, reason)
    return answers


def _is_looked_into(account: Account) -> bool:
    """A report of misuse that runs now holds the lockout's row, and is waited for."""
    db.session.execute(sa.select(Lockout.login).where(Lockout.login == account.login).with_for_update())
    return has_open_case(account.id)
