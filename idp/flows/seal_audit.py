"""Closing the days of the audit trail with a signature, and checking the whole trail (6.1; security.md, audit)."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import BEGINNING, hash_of
from idp.flows.signing_keys import ensure_signing_key, sign, verify
from idp.models import AuditDay, AuditRecord

SEAL = "audit-day+jwt"
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the trail was found: so many records, and the first thing that does not hold."""

    records: int
    days: int
    broken: str | None


def seal_audit(here: Here) -> None:
    """Sign the head of every day that is over and not signed yet."""
    over = sa.select(AuditDay).where(AuditDay.signature.is_(None), AuditDay.day < here.now.astimezone(UTC).date())
    days = db.session.scalars(over).all()
    if days:
        ensure_signing_key(here)
        db.session.flush()
    for day in days:
        day.signature = sign(here.service, SEAL, _claims(day))


def verify_audit(here: Here) -> Verdict:
    """Walk the trail from its first record; stops at the first that was changed, removed, slipped in or not signed."""
    head, number = BEGINNING, 0
    days = {day.day: day for day in db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day))}
    counted = dict.fromkeys(days, 0)
    for item in db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number).execution_options(yield_per=PAGE)):
        number += 1
        broken = _broken(item, number, head)
        if broken:
            return Verdict(number, len(days), f"record {number}: {broken}")
        head = item.hash
        counted[item.day] = counted.get(item.day, 0) + 1
    broken = next((found for day in days.values() if (found := _broken_day(here, day, counted))), None)
    if broken is None and days and max(days.values(), key=lambda day: day.day).head != head:
        broken = "the last records are missing"
    return Verdict(number, len(days), broken)


def _broken(item: AuditRecord, number: int, head: str) -> str | None:
    if item.number != number:
        return f"missing (the next one found is {item.number})"
    if item.previous != head:
        return "does not continue the one before"
    return None if hash_of(item) == item.hash else "was changed"


def _broken_day(here: Here, day: AuditDay, counted: dict[Any, int]) -> str | None:
    if counted[day.day] != day.records:
        return f"{day.day}: {counted[day.day]} records instead of {day.records}"
    if day.signature is None:  # still running, or not sealed yet by a worker
        return None
    told = verify(here.service, SEAL, day.signature, also_retired=True)
    return None if told == _claims(day) else f"{day.day}: the signature of the day does not fit"


def _claims(day: AuditDay) -> dict[str, Any]:
    return {"day": day.day.isoformat(), "first": day.first, "head": day.head, "records": day.records}
