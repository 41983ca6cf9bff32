"""The second step of a sign-in: a one-time code or a recovery code, each once (Regulation 5.7; RFC 6238, 5.2; ASVS 6.5.1).

An attempt is counted like one at the password, in the same counter and before the code is looked at.
"""

from uuid import UUID

import pyotp
import sqlalchemy as sa
from pyotp.exceptions import OTPVerificationError

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import Named, record
from idp.flows.refusal import Refusal
from idp.flows.sessions import LiveSession, end_session, start_session
from idp.flows.sign_in import FORGET, count_attempt, lock, locked
from idp.models import Factor, RecoveryCode
from idp.service import Service
from policies.assurance import BEST
from policies.factors import WINDOW, is_one_time_code, read_code
from policies.lockout import Door


def give_code(here: Here, session: LiveSession, entered: str) -> str | Refusal:
    """Finish the sign-in of `session`; the answer is the value of its new cookie.

    Refusals: ``wrong-code``; ``locked``, which ends the session.
    """
    means = prove_code(here, session.account, entered)
    if not isinstance(means, Refusal) and FORGET.first(db.session.connection(), entered=session.login) is None:
        means = locked(here, session.login, session.account)  # since its turn was counted
    if isinstance(means, Refusal):
        if means.code == "locked":
            end_session(here, session.id, "locked")
        return means
    token = start_session(here, session.account, BEST)
    record(here, "signed-in", session.account, after={"by": means, "agent": here.agent[:200]})
    return token


def prove_code(here: Here, account: Named, entered: str) -> str | Refusal:
    """Use up a code; an attempt, counted like one at the password, that is not forgotten by this alone.

    By which means, as `spend_code` tells; refusals: ``wrong-code``, ``locked``.
    """
    where = count_attempt(here, account.login)
    if where is Door.SHUT:
        lock(here, account.login, account)
        return locked(here, account.login, account)
    means = spend_code(here, account.id, entered)
    if means is not None:
        return means
    record(here, "sign-in-refused", account, after={"reason": "wrong-code"})
    if where is Door.LAST and lock(here, account.login, account):
        return locked(here, account.login, account)
    return Refusal("wrong-code")


def spend_code(here: Here, account_id: UUID, entered: str) -> str | None:
    """Use up a code of the account: ``one-time`` or ``recovery``; None when it is none, or was used before."""
    code = read_code(entered)
    if is_one_time_code(code):
        return "one-time" if _spend_one_time(here, account_id, code) else None
    return "recovery" if _spend_recovery(here, account_id, code) else None


def timecode_of(seed: str, code: str, here: Here) -> int | None:
    """The step of time that `code` belongs to, or None."""
    try:
        return pyotp.TOTP(seed).verify_and_get_timecode(code, for_time=here.now, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def seed_of(service: Service, factor: Factor) -> str:
    """The secret that the authenticator shares with us, base32."""
    return service.vault.open(factor.seed, f"factor/{factor.id}/seed")


def fingerprint(service: Service, account_id: UUID, code: str) -> str:
    """What is stored of a recovery code."""
    return service.vault.fingerprint(f"recovery\n{account_id}\n{code}")


def _spend_one_time(here: Here, account_id: UUID, code: str) -> bool:
    """One statement per authenticator: of many that bring the same code, one finds it unused."""
    mine = sa.select(Factor).where(Factor.account_id == account_id, Factor.confirmed_at.is_not(None))
    for factor in db.session.scalars(mine):
        timecode = timecode_of(seed_of(here.service, factor), code, here)
        if timecode is not None:
            unused = sa.or_(Factor.last_timecode.is_(None), Factor.last_timecode < timecode)
            spent = (
                sa.update(Factor)
                .where(Factor.id == factor.id, unused)
                .values(last_timecode=timecode)
                .returning(Factor.id)
                .execution_options(synchronize_session=False)
            )
            return db.session.execute(spent).first() is not None
    return False


def _spend_recovery(here: Here, account_id: UUID, code: str) -> bool:
    digest = fingerprint(here.service, account_id, code)
    spent = (
        sa.update(RecoveryCode)
        .where(RecoveryCode.digest == digest, RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
        .values(used_at=here.now)
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    )
    return db.session.execute(spent).first() is not None
