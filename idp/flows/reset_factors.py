"""Removing the second factors of somebody who has lost them: by an officer, with a reason; a lock stays (4.4, 5.7).

Whoever acts for others needs the consent of two officers: one asks, and the person is told; another one consents
within a day.  Nobody does it to their own account.
"""

from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db, insert
from idp.errors import Forbidden
from idp.flows.appointments import appointments_of
from idp.flows.change_factors import factors_of, settle_resets, tell_of_change
from idp.flows.departments import departments_now, departments_of
from idp.flows.here import Here
from idp.flows.misuse_cases import has_open_case
from idp.flows.one_time_links import hold
from idp.flows.refusal import Refusal
from idp.flows.sessions import end_all_sessions
from idp.models import Account, Factor, FactorReset, Person, RecoveryCode
from policies.factors import officers_needed
from policies.naming import display_name
from policies.permissions import Who, Whom, may
from policies.remarks import remark

MOST_ROWS = 200


class Reset(Enum):
    """What became of it."""

    DONE = "factors-reset"
    ASKED = "reset-asked"  # another officer must consent


def reset_factors(here: Here, account: Account, reason: str) -> Reset | Refusal:
    """Remove every factor, or ask for it, or consent to what another officer has asked for.

    Refusals: ``reset-reason-required``, ``case-open``, ``no-factor``, ``second-officer-needed`` (who asked asks again).
    Raises `Forbidden` for officers of other departments, and for oneself.
    """
    if here.who is None or not _may(here, account):
        raise Forbidden("reset-factors")
    by = UUID(here.who.account_id)
    told = remark(reason)
    if not told:
        return Refusal("reset-reason-required")
    hold(account.id)  # of several at once each sees what the one before has done
    if has_open_case(account.id):
        return Refusal("case-open")
    names = [factor.name for factor in factors_of(account.id)]
    if not names:
        return Refusal("no-factor")
    if officers_needed(appointments_of(account.id), here.now) == 1 or _consent(here, account, by):
        remove_factors(here, account, told)
        return Reset.DONE
    if not _ask(here, account, by, told):
        return Refusal("second-officer-needed")
    tell_of_change(here, account, "factor-reset-asked", {"before": names, "after": names}, told)
    return Reset.ASKED


def remove_factors(here: Here, account: Account, reason: str) -> None:
    """Without asking who does it: for whoever has asked, and for the command at the machine."""
    factors = [(factor.name, factor.kind) for factor in factors_of(account.id)]
    names, kinds = [name for name, _ in factors], [kind for _, kind in factors]
    for table in (Factor, RecoveryCode):
        db.session.execute(sa.delete(table).where(table.account_id == account.id))
    tell_of_change(here, account, "factors-reset", {"before": names, "after": [], "kind": kinds}, reason)
    end_all_sessions(here, account, "factors-reset")  # whoever found the device may be in one of them


def refuse_reset(here: Here, reset_id: UUID) -> Refusal | None:
    """Let a request fall: by an officer who may consent, or by the one who asked.  Refusal: ``gone``.

    Raises `Forbidden` for who may not, and for a request that never was.
    """
    row = db.session.get(FactorReset, reset_id)
    account = db.session.get_one(Account, row.account_id) if row else None
    if account is None or not _may(here, account):
        raise Forbidden("reset-factors")
    if not settle_resets(here, FactorReset.id == reset_id):
        return Refusal("gone")
    names = [factor.name for factor in factors_of(account.id)]
    tell_of_change(here, account, "factor-reset-refused", {"before": names, "after": names})
    return None


def waiting_resets(here: Here) -> list[dict[str, Any]]:
    """What was asked for and waits, as the desk shows it to whoever may consent or has asked."""
    rows = db.session.execute(
        sa.select(FactorReset, Account, Person)
        .join(Account, Account.id == FactorReset.account_id)
        .join(Person, Person.id == Account.person_id)
        .where(FactorReset.settled_at.is_(None), FactorReset.expires_at > here.now)
        .order_by(FactorReset.asked_at)
        .limit(MOST_ROWS)
    ).all()
    askers = sa.select(Account.id, Account.login).where(Account.id.in_([row.FactorReset.asked_by for row in rows]))
    logins = {row.id: row.login for row in db.session.execute(askers)}
    of = departments_now(here, (row.Person.id for row in rows))
    return [
        {
            "id": reset.id,
            "login": account.login,
            "name": display_name(person.given, person.family, person.patronymic),
            "reason": reset.reason,
            "asked_at": reset.asked_at,
            "asked_by": logins[reset.asked_by],
            "own": here.who is not None and str(reset.asked_by) == here.who.account_id,
        }
        for reset, account, person in rows
        if _may(here, account, of.get(person.id, frozenset()))
    ]


def _may(here: Here, account: Account, departments: frozenset[str] | None = None) -> bool:
    known = departments_of(here, account) if departments is None else departments
    return here.who is not None and may("reset-factors", here.who, Whom(str(account.id), known, None), here.now)


def _consent(here: Here, account: Account, by: UUID) -> bool:
    """Whether another officer has asked for it, waits, and might still ask; of several who consent at once, one does."""
    theirs = (FactorReset.account_id == account.id, FactorReset.asked_by != by, FactorReset.expires_at > here.now)
    asked_by = db.session.scalar(sa.select(FactorReset.asked_by).where(FactorReset.settled_at.is_(None), *theirs))
    if asked_by is None or not settle_resets(here, *theirs):
        return False
    asker = Who(str(asked_by), appointments_of(asked_by))
    return may("reset-factors", asker, Whom(str(account.id), departments_of(here, account), None), here.now)


def _ask(here: Here, account: Account, by: UUID, reason: str) -> bool:
    """False when it was asked for already; what has lapsed makes room."""
    settle_resets(here, FactorReset.account_id == account.id, FactorReset.expires_at <= here.now)
    put = insert(FactorReset).values(
        id=uuid7(), account_id=account.id, asked_by=by, reason=reason, asked_at=here.now,
        expires_at=here.now + here.service.profile.rules.factors.consent_within,
    )  # fmt: skip
    return db.session.execute(put.on_conflict_do_nothing().returning(FactorReset.id)).first() is not None
