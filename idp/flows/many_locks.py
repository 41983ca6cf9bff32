"""The alarm when many logins are locked within a short time: somebody may be trying them all (Regulation 5.7, 3.1)."""

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.send_message import send_message
from idp.models import Account, Lockout, Officer
from policies.lockout import is_alarming


def raise_alarm(here: Here) -> None:
    """Tell the security officers, once in each window, when so many logins were locked within one.

    Without security officers ООЦИ is told.  Logins that nobody has count like others.
    """
    rules = here.service.profile.rules.lockout
    recent = sa.select(sa.func.count()).select_from(Lockout).where(Lockout.locked_at > here.now - rules.alarm_window)
    locks = db.session.scalar(recent) or 0
    if not is_alarming(locks, rules):
        return
    window = int(here.now.timestamp() // rules.alarm_window.total_seconds())
    told = [_tell(here, account, f"many-locks/{window}/{account}", locks) for account in _responsible(here)]
    if any(told):
        record(here, "many-locks", after={"locks": locks, "told": sum(told)})


def _tell(here: Here, account_id: UUID, key: str, locks: int) -> bool:
    """False when they were told already; by whom at the same moment, the key decides."""
    with suppress(IntegrityError), db.session.begin_nested():
        account = db.session.get_one(Account, account_id)
        return send_message(here, account, "many-locks", key, locks=locks)
    return False


def _responsible(here: Here) -> list[UUID]:
    for role in ("security", "admin"):
        current = sa.select(Officer.account_id).where(
            Officer.role == role,
            Officer.from_ <= here.now,
            sa.or_(Officer.until.is_(None), Officer.until > here.now),
        )
        if found := list(db.session.scalars(current.distinct())):
            return found
    return []
