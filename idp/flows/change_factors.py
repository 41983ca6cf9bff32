"""Enrolling, naming and removing one's second factors, and their recovery codes (security.md, accounts; ASVS 6.3.7, 6.5).

The person is told of each change by mail.  That they proved themselves a moment ago is the guard's to see to.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

import pyotp
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import bytes_to_base64url

from idp.db import db
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.one_time_links import hold, void_links
from idp.flows.passkeys import Ceremony, verify_new
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.second_factor import fingerprint, seed_of, timecode_of
from idp.flows.send_message import send_message
from idp.flows.sessions import start_session
from idp.models import Account, Factor, FactorReset, Recovery, RecoveryCode
from idp.models.factor import PASSKEY, TOTP
from policies.assurance import BEST, WITH_PASSKEY
from policies.factors import RECOVERY_ALPHABET, RECOVERY_CODES, RECOVERY_LENGTH, in_groups, read_code

LONGEST_NAME = 60  # characters
MOST = 10  # authenticators and passkeys of one account


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The value of the session's new cookie, and the recovery codes that came with the first factor."""

    token: str
    recovery_codes: tuple[str, ...]


def factors_of(account_id: UUID) -> list[Factor]:
    """The confirmed ones, the oldest first."""
    mine = sa.select(Factor).where(Factor.account_id == account_id, Factor.confirmed_at.is_not(None))
    return list(db.session.scalars(mine.order_by(Factor.id)))


def recovery_codes_left(account_id: UUID) -> int:
    """How many were not used yet."""
    left = sa.select(sa.func.count(RecoveryCode.id)).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(left) or 0


def find_factor(account_id: UUID, factor_id: UUID, confirmed: bool) -> Factor | None:
    """One of the account's own; a seed may be shown only until it is confirmed."""
    is_so = Factor.confirmed_at.is_not(None) if confirmed else Factor.confirmed_at.is_(None)
    return db.session.scalar(sa.select(Factor).where(Factor.id == factor_id, Factor.account_id == account_id, is_so))


def begin_factor(here: Here, account: Account, name: str) -> Factor | Refusal:
    """Make a seed that counts once a code of it is seen; one begun before is forgotten.  Refusal: ``too-many``."""
    if len(factors_of(account.id)) >= MOST:
        return Refusal("too-many")
    db.session.execute(sa.delete(Factor).where(Factor.account_id == account.id, Factor.confirmed_at.is_(None)))
    factor = Factor(account_id=account.id, kind=TOTP, name=_name(name, "TOTP"), seed=b"", created_at=here.now)
    db.session.add(factor)
    db.session.flush()
    factor.seed = here.service.vault.seal(pyotp.random_base32(), f"factor/{factor.id}/seed")
    return factor


def confirm_factor(here: Here, account: Account, factor: Factor, entered: str) -> Enrolled | Refusal:
    """Let `factor` count, since the person shows a code of it.  Refusals: ``wrong-code``, ``gone``."""
    timecode = timecode_of(seed_of(here.service, factor), read_code(entered), here)
    if timecode is None:
        return Refusal("wrong-code")
    first = not factors_of(account.id)
    confirmed = (
        sa.update(Factor)
        .where(Factor.id == factor.id, Factor.confirmed_at.is_(None))
        .values(confirmed_at=here.now, last_timecode=timecode)
        .returning(Factor.id)
    )
    if db.session.execute(confirmed).first() is None:
        return Refusal("gone")
    tell_of_change(here, account, "factor-added", {"before": None, "after": factor.name, "kind": TOTP})
    codes = new_recovery_codes(here, account) if first else ()
    return Enrolled(start_session(here, account, BEST), codes)


def enrol_passkey(here: Here, account_id: UUID, ceremony: Ceremony, name: str, answer: str) -> Enrolled | Refusal:
    """Let a passkey that the browser has just made count.  Refusals: ``too-many``, ``wrong-passkey``.

    Its challenge is spent in a transaction of its own, before that of the change begins.
    """
    made = verify_new(here, ceremony, answer)
    if made is None:
        return Refusal("wrong-passkey")
    account = hold(account_id)
    before = factors_of(account.id)
    if len(before) >= MOST:
        return Refusal("too-many")
    passkey = Factor(
        account_id=account.id, kind=PASSKEY, name=_name(name, "Passkey"), created_at=here.now, confirmed_at=here.now,
        credential_id=bytes_to_base64url(made.credential_id), public_key=made.credential_public_key,
        sign_count=made.sign_count,
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(passkey)
    except IntegrityError:  # registered already, here or elsewhere
        return Refusal("wrong-passkey")
    tell_of_change(here, account, "factor-added", {"before": None, "after": passkey.name, "kind": PASSKEY})
    codes = () if before else new_recovery_codes(here, account)
    return Enrolled(start_session(here, account, WITH_PASSKEY), codes)


def rename_factor(here: Here, account: Account, factor: Factor, name: str) -> None:
    """Call it something else."""
    before, factor.name = factor.name, _name(name, factor.name)
    record(here, "factor-renamed", account, before={"factor": before}, after={"factor": factor.name})


def remove_factor(here: Here, account: Account, factor: Factor) -> None:
    """Forget it; with the last one go the recovery codes."""
    db.session.delete(factor)
    db.session.flush()
    if not factors_of(account.id):
        db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    tell_of_change(here, account, "factor-removed", {"before": factor.name, "after": None, "kind": factor.kind})


def new_recovery_codes(here: Here, account: Account) -> tuple[str, ...]:
    """A new set, in groups as people read them; the old one is void."""
    before = recovery_codes_left(account.id)
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = ["".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    db.session.add_all(
        RecoveryCode(account_id=account.id, digest=fingerprint(here.service, account.id, code), created_at=here.now)
        for code in codes
    )
    tell_of_change(here, account, "recovery-renewed", {"before": before, "after": len(codes)})
    return tuple(in_groups(code) for code in codes)


def settle_resets(here: Here, *which: sa.ColumnElement[bool]) -> bool:
    """Let what officers have asked for wait no longer; whether anything did."""
    settled = (
        sa.update(FactorReset)
        .where(FactorReset.settled_at.is_(None), *which)
        .values(settled_at=here.now)
        .returning(FactorReset.id)
        .execution_options(synchronize_session=False)
    )
    return db.session.execute(settled).first() is not None


def _name(entered: str, otherwise: str) -> str:
    return " ".join(entered.replace("\0", " ").split())[:LONGEST_NAME] or otherwise


def tell_of_change(
    here: Here, account: Account, act: str, values: dict[str, object], reason: str | None = None
) -> None:
    """The trail and the person (ASVS 6.3.7); names, never seeds or codes.  A link for a forgotten password that was
    issued before is dead, and so is what an officer has asked of the factors of before."""
    after = {"factor": values["after"]} | ({"reason": reason} if reason else {})
    kind = {"kind": values["kind"]} if "kind" in values else {}  # on the side on which there is a factor
    before = {"factor": values["before"]} | (kind if values["before"] else {})
    record(here, act, account, before=before, after=after | (kind if values["after"] else {}))
    key = f"{act}/{account.login}/{here.now.isoformat()}"
    void_links(here, Recovery, account.id)
    if act != "factor-reset-asked":
        settle_resets(here, FactorReset.account_id == account.id)
    send_message(here, account, "factors_changed", key, change=act, misuse_link=misuse_link(here, account.id))
