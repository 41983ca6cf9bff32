"""Telling of a lock: the person by mail, and the security officers when there are many (Regulation 5.7).

For a worker: at the sign-in a lock leaves the same one row for logins that exist and logins that don't, so that its
time tells nobody which is which.
"""

from dataclasses import replace
from uuid import UUID

from idp.db import db
from idp.flows.here import Here
from idp.flows.many_locks import raise_alarm
from idp.flows.misuse_link import misuse_link
from idp.flows.send_message import send_message
from idp.flows.work import MESSAGES, Work, leave_work
from idp.models import Account, LockNotice


def leave_lock_notice(here: Here, account_id: UUID | None) -> None:
    """A login was locked just now, of this account or of nobody."""
    notice = LockNotice(account_id=account_id, address=here.address, request_id=here.request_id, run_at=here.now)
    db.session.add(notice)
    db.session.flush()
    leave_work(Work("lock", notice.id, here.now, MESSAGES, "mail-out"))


def tell_lock(here: Here, notice: LockNotice) -> None:
    """Mail whoever is concerned, and forget the notice."""
    here = replace(here, address=notice.address, request_id=notice.request_id)
    if notice.account_id is not None:
        account = db.session.get_one(Account, notice.account_id)
        send_message(here, account, "locked", f"locked/{notice.id}", misuse_link=misuse_link(here, account.id))
    raise_alarm(here)
    db.session.delete(notice)
