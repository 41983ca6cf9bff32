"""Signing in with login and password (Regulation 5.7; ASVS 6.3).

An attempt is counted before the password is looked at (`count_attempt.py`).  Known and unknown logins go exactly the
same way, so that nobody learns which exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.errors import Busy
from idp.flows.count_attempt import (
    Turn,
    count_attempt,
    forget_attempts,
    give_back,
    give_back_at_once,
    lock,
    locked,
    refused,
)
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.sessions import start_session
from idp.flows.throttled import count_against, is_throttled
from idp.models import Account, Credential, Factor
from idp.prepared import Prepared
from policies.assurance import PASSWORD
from policies.lockout import Door
from policies.naming import canonical_login
from policies.passwords import normalise

LONGEST_LOGIN = 100
LONGEST_PASSWORD = 1_000  # longer ones are wrong without being hashed (ASVS 6.2.8)

REHASH = Prepared(
    sa.update(Credential)
    .where(
        Credential.account_id == sa.bindparam("account"),
        Credential.password_hash == sa.bindparam("old"),
        Credential.replaced_at.is_(None),
    )
    .values(password_hash=sa.bindparam("new"))
)
_FOUND = (
    sa.select(
        Account.id, Account.login, Account.language, Account.opens_at, Account.closes_at, Credential.password_hash,
        sa.select(sa.func.count(Factor.id))
        .where(Factor.account_id == Account.id, Factor.confirmed_at.is_not(None)).scalar_subquery().label("factors"),
    )
    .join(Credential, Credential.account_id == Account.id)
    .where(Credential.replaced_at.is_(None))
)  # fmt: skip
FOUND = Prepared(_FOUND.where(Account.login == sa.bindparam("login")))
FOUND_BY_ID = Prepared(_FOUND.where(Account.id == sa.bindparam("account")))
PRESENT = Prepared(
    sa.select(Credential.id)
    .where(
        Credential.account_id == sa.bindparam("account"),
        Credential.password_hash == sa.bindparam("password_hash"),
        Credential.replaced_at.is_(None),
    )
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class Found:
    """The account of a login, as far as a sign-in needs it."""

    id: UUID
    login: str
    language: str
    opens_at: datetime | None
    closes_at: datetime | None
    password_hash: str
    factors: int  # second ones: the password alone is half a sign-in

    def open_at(self, now: datetime) -> bool:
        """Whether the account may be used at `now`."""
        return self.opens_at is not None and self.opens_at <= now and (self.closes_at is None or now < self.closes_at)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the value of the new session's cookie."""

    account: Found
    token: str


def sign_in(here: Here, login_entered: str, password: str) -> SignedIn | Refusal:
    """Check `password` for `login_entered` and begin a session.

    Refusals: those of `prove_password` and of `let_in`.  Raises `Busy` under a storm of sign-ins.
    """
    account = prove_password(here, login_entered, password)
    return account if isinstance(account, Refusal) else let_in(here, account, PASSWORD)


def prove_password(here: Here, login_entered: str, password: str) -> Found | Refusal:
    """Whose the login is, if `password` is right; an attempt, counted like any other (5.7).

    Refusals: ``wrong``, ``locked``, and ``throttled`` for a client that was wrong too often with whatever logins; its
    attempt is not counted.  Raises `Busy` under a storm of sign-ins.
    """
    if is_throttled(here):
        return Refusal("throttled")
    login = canonical_login(login_entered)[:LONGEST_LOGIN]
    turn = count_attempt(here, login, _print(here, login, password))
    row = FOUND.first(login=login)
    account = Found(*row) if row else None
    right = _verdict(here, turn, account.password_hash if account else None, password)
    if turn.door is Door.SHUT or not right:
        count_against(here)
    if turn.door is Door.SHUT:
        lock(here, turn, account)  # should the one whose turn it was never have come to it
        return locked(here, turn, account)
    if account is None or not right:
        return refused(here, turn, account, "wrong")
    account = _strengthened(here, account, password)
    if not _stands(account):
        return refused(here, turn, account, "wrong")
    # codes count as well (5.7): only a whole sign-in forgets them
    counted = give_back(turn) if account.factors else forget_attempts(here, turn, account.id)
    return account if counted else locked(here, turn, account)


def _print(here: Here, login: str, password: str) -> str | None:
    """By which the same wrong password is known again, where it counts once (setting `same_wrong_once`)."""
    if not here.service.profile.rules.lockout.same_wrong_once:
        return None
    return here.service.vault.fingerprint(f"wrong password\n{login}\n{normalise(password[:LONGEST_PASSWORD])}")


def _verdict(here: Here, turn: Turn, stored: str | None, password: str) -> bool:
    """Whether the password is right.  Where there was no room to look at it, the attempt was none: it is given back."""
    try:
        return _matches(here, stored, password)
    except Busy:
        give_back_at_once(turn)
        raise


def _matches(here: Here, stored: str | None, password: str) -> bool:
    too_long = len(password) > LONGEST_PASSWORD
    return here.service.hasher.verify(stored, "" if too_long else normalise(password)) and not too_long


def _strengthened(here: Here, account: Found, password: str) -> Found:
    """With the hash of the same password by today's parameters, when it was made by others (ASVS 11.4.2); under a
    storm, another time.  With one salt several hands come to the same hash."""
    hasher = here.service.hasher
    if not hasher.outdated(account.password_hash):
        return account
    try:
        stronger = hasher.hash(normalise(password), salt_of=account.password_hash)
    except Busy:
        return account
    REHASH.all(account=account.id, old=account.password_hash, new=stronger)
    return replace(account, password_hash=stronger)


def _stands(account: Found) -> bool:
    """Whether the password has not been replaced while it was looked at.  Who replaces it waits for what comes of this
    sign-in, and ends it."""
    return PRESENT.first(db.session.connection(), account=account.id, password_hash=account.password_hash) is not None


def let_in(here: Here, account: Found, amr: Sequence[str]) -> SignedIn | Refusal:
    """Begin a session for who has proved themselves by `amr`.  Refusals: ``not-yet``, ``closed``."""
    if not account.open_at(here.now):
        later = account.opens_at is not None and here.now < account.opens_at
        record(here, "sign-in-refused", account, after={"reason": "not-yet" if later else "closed"})
        return Refusal("not-yet" if later else "closed")
    token = start_session(here, account, amr)
    act = "password-accepted" if account.factors and amr == PASSWORD else "signed-in"
    record(here.acting_as(f"account/{account.login}"), act, account, after={"agent": here.agent[:200]})
    return SignedIn(account, token)
