"""Closing the days of the audit trail with a signature, and checking the whole trail (6.1; security.md, audit)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import BEGINNING, hash_of
from idp.flows.signing_keys import (
    DEFAULT_ALGORITHM,
    StoredKey,
    ensure_signing_keys,
    keys_as_of,
    lock_keys,
    sign_with,
    stored_keys,
    verify,
)
from idp.jose import read_jws
from idp.models import AuditDay, AuditRecord

SEAL = "audit-day+jwt"
PAGE = 1_000
GRACE = timedelta(days=1)  # workers seal a day soon after it is over; one never sealed is not believed


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the trail was found: so many records, and the first thing that does not hold."""

    records: int
    days: int
    broken: str | None


@dataclass(frozen=True, slots=True)
class Walked:
    """What the records of one day add up to: the hash they continue from, their last, and how many they are."""

    first: str
    head: str
    records: int


def seal_audit(here: Here) -> None:
    """Sign the head of every day that is over and not signed yet; where no key signs yet, make one for the next time."""
    over = sa.select(AuditDay).where(AuditDay.signature.is_(None), AuditDay.day < here.now.astimezone(UTC).date())
    days = db.session.scalars(over).all()
    if not days or not ensure_signing_keys(here):
        return
    lock_keys()  # a seal by a key that is being destroyed at this moment would never hold
    key = keys_as_of(stored_keys(), here.now).signing[DEFAULT_ALGORITHM]
    again = over.with_for_update().execution_options(populate_existing=True)  # a late act may still have been added
    for day in db.session.scalars(again):
        day.signature = sign_with(here.service, key, SEAL, _claims(day))


def seal_again(here: Here, stolen: Collection[str], key: StoredKey) -> int:
    """Seal with `key` the days that the `stolen` keys (their kids) had sealed; how many they were.

    Call it before these are destroyed.  A seal that does not hold is left as it is, for `verify_audit` to find.
    """
    sealed = db.session.scalars(sa.select(AuditDay).where(AuditDay.signature.is_not(None))).all()
    days = [day for day in sealed if _sealed_by(day) in stolen and _holds(here, day)]
    for day in days:
        day.signature = sign_with(here.service, key, SEAL, _claims(day))
    return len(days)


def verify_audit(here: Here) -> Verdict:
    """Walk the trail from its first record; stops at the first that was changed, removed, slipped in or not signed."""
    found = {day.day: day for day in db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day))}
    walked: dict[date, Walked] = {}
    head, number = BEGINNING, 0
    records = sa.select(AuditRecord).order_by(AuditRecord.number).execution_options(yield_per=PAGE)
    with db.session.scalars(records) as trail:
        for item in trail:
            number += 1
            if broken := _broken(item, number, head):
                return Verdict(number, len(found), f"record {number}: {broken}")
            before = walked.get(item.day) or Walked(head, head, 0)
            head = item.hash
            walked[item.day] = Walked(before.first, head, before.records + 1)
    days = sorted(found.keys() | walked.keys())
    broken = next((told for day in days if (told := _broken_day(here, day, found.get(day), walked.get(day)))), None)
    return Verdict(number, len(found), broken)


def _broken(item: AuditRecord, number: int, head: str) -> str | None:
    if item.number != number:
        return f"missing (the next one found is {item.number})"
    if item.previous != head:
        return "does not continue the one before"
    return None if hash_of(item) == item.hash else "was changed"


def _broken_day(here: Here, on: date, day: AuditDay | None, walked: Walked | None) -> str | None:
    if day is None:
        return f"{on}: the day is missing"
    if walked is None or walked != Walked(day.first, day.head, day.records):
        last = day.last_number
        return f"{on}: its records do not add up to what the day says; the last should be record {last}"
    if day.signature is None:
        late = on < here.now.astimezone(UTC).date() - GRACE
        return f"{on}: the day is over and was not signed" if late else None
    return None if _holds(here, day) else f"{on}: the signature of the day does not fit"


def _holds(here: Here, day: AuditDay) -> bool:
    return verify(here.service, SEAL, day.signature or "", also_retired=True) == _claims(day)


def _sealed_by(day: AuditDay) -> str | None:
    """The kid that the seal names."""
    seal = read_jws(day.signature or "")
    return seal.header.get("kid") if seal else None


def _claims(day: AuditDay) -> dict[str, Any]:
    return {"day": day.day.isoformat(), "first": day.first, "head": day.head, "records": day.records}
