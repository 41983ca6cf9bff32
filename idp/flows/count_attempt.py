"""Counting attempts at a login, and locking it (Regulation 5.7; ASVS 6.3).

Owns the counter: by one atomic statement, before a password or code is looked at, so that however many guesses run at
once, no more are answered than the rules allow.  What an attempt is and who is told of its outcome is for those who ask.

Where the institution counts by device (OWASP, device cookies), a browser that the person has wholly signed in with counts
for itself, so that a stranger's guesses lock strangers out and not the owner.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.crypto import digest
from idp.db import INSERTS, db, insert
from idp.flows.here import Here
from idp.flows.record import Named, record
from idp.flows.refusal import Refusal
from idp.flows.tell_lock import leave_lock_notice
from idp.models import Account, KnownDevice, Lockout
from idp.prepared import Prepared
from policies.lockout import Door, Scope, door

ANY = ""  # the device of whoever is not known by one
KNOWN_FOR = timedelta(days=400)  # as long as a browser keeps the cookie

OWN = (Lockout.login == sa.bindparam("entered"), Lockout.device == sa.bindparam("of_device"))
PRINT = sa.bindparam("print", type_=Lockout.last_print.type)
COUNTED = {  # the same statement in the words of either database
    name: Prepared(
        insert(Lockout)
        .values(
            login=sa.bindparam("entered"), device=sa.bindparam("of_device"), attempts=1,
            last_at=sa.bindparam("now"), last_print=PRINT,
        )
        .on_conflict_do_update(
            index_elements=[Lockout.login, Lockout.device],
            set_={
                "attempts": Lockout.attempts + sa.case((Lockout.last_print == PRINT, 0), else_=1),
                "last_at": sa.bindparam("now", type_=Lockout.last_at.type),
                "last_print": PRINT,
            },
        )
        .returning(Lockout.attempts, Lockout.locked_at)
    )
    for name, insert in INSERTS.items()
}  # fmt: skip
FORGET = Prepared(
    sa.update(Lockout)
    .where(*OWN, Lockout.locked_at.is_(None))
    .values(attempts=0, last_print=sa.null())
    .returning(Lockout.login)
)
GIVE_BACK = Prepared(
    sa.update(Lockout)
    .where(*OWN, Lockout.locked_at.is_(None))
    .values(attempts=sa.case((Lockout.attempts > 0, Lockout.attempts - 1), else_=0), last_print=sa.null())
    .returning(Lockout.login)
)
KNOWN = Prepared(
    sa.select(KnownDevice.digest)
    .join(Account, Account.id == KnownDevice.account_id)
    .where(
        Account.login == sa.bindparam("entered"),
        KnownDevice.digest == sa.bindparam("digest"),
        KnownDevice.since > sa.bindparam("after", type_=KnownDevice.since.type),
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    """An attempt that was counted: at which login, by which counter, and how it is to be answered."""

    login: str
    device: str
    door: Door

    @property
    def key(self) -> dict[str, str]:
        """Its counter, as the statements above name it."""
        return {"entered": self.login, "of_device": self.device}


def count_attempt(here: Here, login: str, fingerprint: str | None = None) -> Turn:
    """Count one attempt for `login`, committed before anything else happens.

    An attempt with the `fingerprint` of the one just before it is not counted again.
    """
    rules = here.service.profile.rules.lockout
    device = _known_device(here, login) if rules.scope is Scope.DEVICE else ANY
    counted = COUNTED[db.engine.dialect.name].first(entered=login, of_device=device, now=here.now, print=fingerprint)
    return Turn(login, device, Door.SHUT if counted.locked_at else door(counted.attempts, rules))


def forget_attempts(here: Here, turn: Turn, account: UUID) -> bool:
    """After a whole sign-in: none was wrong, and the device is known from now on.  False when the login was locked since
    the turn was counted."""
    if FORGET.first(db.session.connection(), **turn.key) is None:
        return False
    if here.service.profile.rules.lockout.scope is Scope.DEVICE and here.device is not None:
        known = insert(KnownDevice).values(account_id=account, digest=digest(here.device), since=here.now)
        again = known.on_conflict_do_update(
            index_elements=[KnownDevice.account_id, KnownDevice.digest], set_={"since": here.now}
        )
        db.session.execute(again)
    return True


def give_back(turn: Turn) -> bool:
    """The attempt was none, or right as far as it went.  False when the login was locked since it was counted."""
    return GIVE_BACK.first(db.session.connection(), **turn.key) is not None


def give_back_at_once(turn: Turn) -> None:
    """There was no room to look at it: in a transaction of its own, since that of the request comes to nothing."""
    with db.engine.begin() as connection:
        GIVE_BACK.all(connection, **turn.key)


def lock(here: Here, turn: Turn, account: Named | None) -> bool:
    """Lock, unless a right sign-in has reset the counter in the meantime; whether it is locked now."""
    allowed = here.service.profile.rules.lockout.allowed_failures
    own = (Lockout.login == turn.login, Lockout.device == turn.device)
    now_locked = db.session.execute(
        sa.update(Lockout)
        .where(*own, Lockout.attempts > allowed, Lockout.locked_at.is_(None))
        .values(locked_at=here.now)
        .returning(Lockout.attempts)
    ).one_or_none()
    if now_locked is None:
        return db.session.scalar(sa.select(Lockout.locked_at).where(*own)) is not None
    record(here, "locked", account, login=turn.login, before={"locked": False}, after={"locked": True})
    leave_lock_notice(here, account.id if account else None)
    return True


def refused(here: Here, turn: Turn, account: Named | None, reason: str) -> Refusal:
    """What somebody is told whose password, code or passkey was wrong, by its `reason`; the last one locks."""
    record(here, "sign-in-refused", account, login=turn.login, after={"reason": reason})
    if turn.door is Door.LAST and lock(here, turn, account):
        return locked(here, turn, account)
    return Refusal(reason)


def locked(here: Here, turn: Turn, account: Named | None) -> Refusal:
    """What somebody is told whose login is locked."""
    record(here, "sign-in-refused", account, login=turn.login, after={"reason": "locked"})
    return Refusal("locked")


def forget_devices(account: UUID) -> None:
    """No browser is known any more: whoever signed in there may have been somebody else (6.5)."""
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account))


def _known_device(here: Here, login: str) -> str:
    if here.device is None:
        return ANY
    since = here.now - KNOWN_FOR
    return digest(here.device) if KNOWN.first(entered=login, digest=digest(here.device), after=since) else ANY
