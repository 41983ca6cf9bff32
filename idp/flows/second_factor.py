"""The second step of a sign-in: a one-time code, a recovery code or a passkey, each answer once (Regulation 5.7;
RFC 6238, 5.2; ASVS 6.5.1).

An attempt is counted like one at the password, in the same counter and before the code is looked at.
"""

from dataclasses import dataclass
from uuid import UUID

import pyotp
import sqlalchemy as sa
from pyotp.exceptions import OTPVerificationError

from idp.db import db
from idp.flows.count_attempt import Turn, count_attempt, forget_attempts, give_back, lock, locked, refused
from idp.flows.here import Here
from idp.flows.passkeys import Ceremony, find_passkey, use_passkey, verify_passkey
from idp.flows.record import Named, record
from idp.flows.refusal import Refusal
from idp.flows.sessions import LiveSession, end_session, start_session
from idp.models import Factor, RecoveryCode
from idp.models.factor import TOTP
from idp.service import Service
from policies.assurance import BEST, WITH_PASSKEY
from policies.factors import WINDOW, is_one_time_code, read_code
from policies.lockout import Door


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody brings as the second factor: a code they typed, or the answer of a passkey to a challenge."""

    code: str = ""
    passkey: str = ""
    ceremony: Ceremony | None = None

    @property
    def refusal(self) -> str:
        """What it is called when it does not hold."""
        return "wrong-passkey" if self.passkey else "wrong-code"


def give_proof(here: Here, session: LiveSession, proof: Proof) -> str | Refusal:
    """Finish the sign-in of `session`; the answer is the value of its new cookie.

    Refusals: those of `prove`; ``locked`` ends the session.
    """
    turn = count_attempt(here, session.login)
    means = _take_turn(here, turn, session.account, proof)
    if not isinstance(means, Refusal) and not forget_attempts(here, turn, session.account_id):
        means = locked(here, turn, session.account)
    if isinstance(means, Refusal):
        if means.code == "locked":
            end_session(here, session.id, "locked")
        return means
    token = start_session(here, session.account, WITH_PASSKEY if means == "passkey" else BEST)
    record(here, "signed-in", session.account, after={"by": means, "agent": here.agent[:200]})
    return token


def prove(here: Here, account: Named, proof: Proof) -> str | Refusal:
    """Use the proof up outside a sign-in; an attempt, counted like one at the password.  A right one gives back its own
    attempt and no other's.

    By which means: ``passkey``, or as `spend_code` tells; refusals: ``wrong-code``, ``wrong-passkey``, ``locked``.
    """
    turn = count_attempt(here, account.login)
    means = _take_turn(here, turn, account, proof)
    if not isinstance(means, Refusal):
        give_back(turn)
    return means


def _take_turn(here: Here, turn: Turn, account: Named, proof: Proof) -> str | Refusal:
    if turn.door is Door.SHUT:
        lock(here, turn, account)
        return locked(here, turn, account)
    means = _spend_passkey(here, account.id, proof) if proof.passkey else spend_code(here, account.id, proof.code)
    return means if means is not None else refused(here, turn, account, proof.refusal)


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
    return service.vault.open(factor.seed or b"", f"factor/{factor.id}/seed")


def fingerprint(service: Service, account_id: UUID, code: str) -> str:
    """What is stored of a recovery code."""
    return service.vault.fingerprint(f"recovery\n{account_id}\n{code}")


def _spend_one_time(here: Here, account_id: UUID, code: str) -> bool:
    """One statement per authenticator: of many that bring the same code, one finds it unused."""
    mine = sa.select(Factor).where(
        Factor.account_id == account_id, Factor.kind == TOTP, Factor.confirmed_at.is_not(None)
    )
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


def _spend_passkey(here: Here, account_id: UUID, proof: Proof) -> str | None:
    """One of the account's own, and nobody else's.  Reads, and spends the challenge, before its transaction begins."""
    passkey = find_passkey(proof.passkey)
    if passkey is None or passkey.account_id != account_id or proof.ceremony is None:
        return None
    count = verify_passkey(here, proof.ceremony, proof.passkey, passkey)
    return "passkey" if count is not None and use_passkey(here, passkey, count) else None
