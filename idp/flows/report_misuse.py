"""Reporting unauthorised access (Regulation 5.4, 6.5): everything stops at once, and the security officer has a case.

The login is locked like by wrong passwords (5.7), so that only an officer opens it again; sessions and grants end;
and the moment is kept from which acts under the account are not the person's own.
"""

from uuid_utils.compat import uuid7

from idp.db import db, insert
from idp.flows.change_factors import settle_resets
from idp.flows.count_attempt import ANY, forget_devices
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.send_message import send_message
from idp.flows.sessions import end_all_sessions
from idp.models import Account, FactorReset, Lockout, MisuseReport
from policies.remarks import remark


def report_misuse(here: Here, account: Account, way: str, told: str = "") -> bool:
    """Lock, end everything, open a case.  Said again, it does all of it again, and the case stays one: False.

    `way`: ``mail`` or ``account``; `told`: what the person noticed.
    """
    owner = here.acting_as(f"account/{account.login}")
    locked = _lock(owner, account)  # first: a sign-in that runs now waits for it, or is ended below
    forget_devices(account.id)  # so that the lock holds for every one of them
    end_all_sessions(owner, account, "misuse-reported")
    settle_resets(owner, FactorReset.account_id == account.id)
    case = _open_case(owner, account, way, remark(told) or None)
    if locked:
        record(owner, "locked", account, before={"locked": False}, after={"locked": True, "reason": "misuse-reported"})
    if case:
        record(owner, "misuse-reported", account, before={"case": None}, after={"case": "open", "way": way})
        key = f"misuse-reported/{account.login}/{here.now.isoformat()}"
        send_message(owner, account, "misuse-reported", key)
    return case


def _lock(here: Here, account: Account) -> bool:
    """Whether it was open before."""
    put = insert(Lockout).values(login=account.login, device=ANY, attempts=0, last_at=here.now, locked_at=here.now)
    shut = put.on_conflict_do_update(
        index_elements=[Lockout.login, Lockout.device], set_={"locked_at": here.now}, where=Lockout.locked_at.is_(None)
    )
    return db.session.execute(shut.returning(Lockout.login)).first() is not None


def _open_case(here: Here, account: Account, way: str, told: str | None) -> bool:
    """False when one is open: the index lets in one, whoever comes at the same time."""
    put = insert(MisuseReport).values(
        id=uuid7(), account_id=account.id, reported_at=here.now, way=way, address=here.address, told=told
    )
    return db.session.execute(put.on_conflict_do_nothing().returning(MisuseReport.id)).first() is not None
