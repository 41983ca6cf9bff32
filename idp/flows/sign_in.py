"""Signing in with login and password (Regulation 5.7; ASVS 6.3).

An attempt is counted before the password is looked at, by one atomic statement in a transaction of its own: however
many guesses run at once, no more are answered than the rules allow.  Known and unknown logins go exactly the same
way, so that nobody learns which exist.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from idp.db import db, reader
from idp.errors import Busy
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.sessions import start_session
from idp.models import Account, Credential, Lockout
from policies.lockout import Door, door
from policies.naming import canonical_login
from policies.passwords import normalise

LONGEST_LOGIN = 100
LONGEST_PASSWORD = 1_000  # longer ones are wrong without being hashed (ASVS 6.2.8)

PRESENT_PASSWORD = (
    sa.select(Account.id, Credential.password_hash)
    .join(Credential, Credential.account_id == Account.id)
    .where(Account.login == sa.bindparam("login"), Credential.replaced_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the value of the new session's cookie."""

    account: Account
    token: str


def sign_in(here: Here, login_entered: str, password: str) -> SignedIn | Refusal:
    """Check `password` for `login_entered` and begin a session.

    Refusals: ``wrong``, ``locked``, ``not-yet``, ``closed``.  Raises `Busy` under a storm of sign-ins.
    """
    login = canonical_login(login_entered)[:LONGEST_LOGIN]
    where = count_attempt(here, login)
    with reader().connect() as connection:
        found = connection.execute(PRESENT_PASSWORD, {"login": login}).one_or_none()
    right = _verdict(here, login, found.password_hash if found else None, password)
    account = db.session.get(Account, found.id) if found else None
    if where is Door.SHUT:
        _lock(here, login, account)  # should the one whose turn it was never have come to it
        return _locked(here, login, account)
    if account is None or not right:
        return _wrong(here, login, account, where)
    _forget_attempts(login)
    return _let_in(here, account)


def count_attempt(here: Here, login: str) -> Door:
    """Count one attempt for `login`; where it stands.  One statement, committed before anything else happens."""
    postgresql = db.engine.dialect.name == "postgresql"
    insert = (insert_postgresql if postgresql else insert_sqlite)(Lockout).values(
        login=login, attempts=1, last_at=here.now
    )
    statement = insert.on_conflict_do_update(
        index_elements=[Lockout.login], set_={"attempts": Lockout.attempts + 1, "last_at": here.now}
    ).returning(Lockout.attempts, Lockout.locked_at)
    with db.engine.begin() as connection:
        counted = connection.execute(statement).one()
    return Door.SHUT if counted.locked_at else door(counted.attempts, here.service.profile.rules.lockout)


def _verdict(here: Here, login: str, stored: str | None, password: str) -> bool:
    """Whether the password is right.  Where there was no room to look at it, the attempt was none: it is given back."""
    try:
        return _matches(here, stored, password)
    except Busy:
        with db.engine.begin() as connection:
            connection.execute(
                sa.update(Lockout)
                .where(Lockout.login == login, Lockout.attempts > 0, Lockout.locked_at.is_(None))
                .values(attempts=Lockout.attempts - 1)
            )
        raise


def _matches(here: Here, stored: str | None, password: str) -> bool:
    too_long = len(password) > LONGEST_PASSWORD
    return here.service.hasher.verify(stored, "" if too_long else normalise(password)) and not too_long


def _wrong(here: Here, login: str, account: Account | None, where: Door) -> Refusal:
    record(here, "sign-in-refused", account, login=login, after={"reason": "wrong"})
    if where is Door.LAST and _lock(here, login, account):
        return _locked(here, login, account)
    return Refusal("wrong")


def _lock(here: Here, login: str, account: Account | None) -> bool:
    """Lock the login, unless a right sign-in has reset its counter in the meantime; whether it is locked now."""
    allowed = here.service.profile.rules.lockout.allowed_failures
    locked = db.session.execute(
        sa.update(Lockout)
        .where(Lockout.login == login, Lockout.attempts > allowed, Lockout.locked_at.is_(None))
        .values(locked_at=here.now)
        .returning(Lockout.attempts)
    ).one_or_none()
    if locked is None:
        return db.session.scalar(sa.select(Lockout.locked_at).where(Lockout.login == login)) is not None
    record(here, "locked", account, login=login, before={"locked": False}, after={"locked": True})
    if account is not None:
        send_message(here, account, "locked", f"locked/{login}/{here.now.isoformat()}")
    return True


def _locked(here: Here, login: str, account: Account | None) -> Refusal:
    record(here, "sign-in-refused", account, login=login, after={"reason": "locked"})
    return Refusal("locked")


def _forget_attempts(login: str) -> None:
    db.session.execute(sa.update(Lockout).where(Lockout.login == login, Lockout.locked_at.is_(None)).values(attempts=0))


def _let_in(here: Here, account: Account) -> SignedIn | Refusal:
    if not account.open_at(here.now):
        later = account.opens_at is not None and here.now < account.opens_at
        record(here, "sign-in-refused", account, after={"reason": "not-yet" if later else "closed"})
        return Refusal("not-yet" if later else "closed")
    token = start_session(here, account)
    record(here.acting_as(f"account/{account.login}"), "signed-in", account, after={"agent": here.agent[:200]})
    return SignedIn(account, token)
