"""The audit trail: the only place that writes it (Regulation 6.1; design, decision 12).

`record` notes an act inside the running transaction.  When that commits, the notes are chained as its very last
step: each record carries the hash of the one before, so that nothing can be changed, removed or slipped in
unnoticed.  If they can't be written, the transaction fails.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, scoped_session

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, AuditDay, AuditRecord
from policies.redaction import redact

CHAIN_LOCK = 0x4143484B  # one writer of the chain at a time, on PostgreSQL
BEGINNING = "0" * 64


def record(
    here: Here,
    act: str,
    account: Account | None = None,
    *,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    login: str | None = None,
) -> None:
    """Note that `act` was done to `account` (or to the entered `login`), with the values before and after.

    Values pass `policies.redaction`: secrets become «changed».
    """
    db.session.info.setdefault("audit", []).append(
        AuditRecord(
            at=here.now,
            actor=here.actor,
            act=act,
            subject=subject,
            account_id=account.id if account else None,
            login=account.login if account else login,
            before=_plain(before),
            after=_plain(after),
            address=here.address,
            request_id=here.request_id,
        )
    )


def chain_on_commit(session: scoped_session[Any]) -> None:
    """Have every commit of `session` chain the records noted in it."""
    event.listen(session, "before_commit", _chain)
    event.listen(session, "after_rollback", _forget)


def _forget(session: Session) -> None:
    """A savepoint rolled back is not the end: what was noted before it still happens (`open_account`)."""
    if not session.in_nested_transaction():
        session.info.pop("audit", None)


def _chain(session: Session) -> None:
    """Only as the very last step: the lock of the chain must not be waited for with anything else still to lock."""
    if session.in_nested_transaction():
        return
    noted: list[AuditRecord] = session.info.pop("audit", [])
    if not noted:
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
    day: AuditDay | None = None
    for item in noted:
        if day is None or day.day < item.at.astimezone(UTC).date():
            day = _day_of(session, item.at)
        _append(day, item)
    session.add_all(noted)


def _day_of(session: Session, moment: datetime) -> AuditDay:
    last = session.scalar(
        sa.select(AuditDay).order_by(AuditDay.day.desc()).limit(1).execution_options(populate_existing=True)
    )
    today = moment.astimezone(UTC).date()
    if last is not None and last.day >= today:
        return last
    head, number = (last.head, last.last_number) if last else (BEGINNING, 0)
    day = AuditDay(day=today, first=head, head=head, last_number=number, records=0)
    session.add(day)
    session.flush()
    return day


def _append(day: AuditDay, item: AuditRecord) -> None:
    item.day, item.number, item.previous = day.day, day.last_number + 1, day.head
    item.hash = hash_of(item)
    day.head, day.last_number, day.records = item.hash, item.number, day.records + 1


def hash_of(item: AuditRecord) -> str:
    """The hash that chains a record: over everything it says and the hash before it."""
    said = [
        item.number, item.at.astimezone(UTC).isoformat(), item.day.isoformat(), item.actor, item.act, item.subject,
        str(item.account_id), item.login, item.before, item.after, item.address, item.request_id, item.previous,
    ]  # fmt: skip
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: _value(value) for name, value in redact(values).items()}


def _value(value: Any) -> Any:
    """Only what reads back from both databases as it was written; all else as text."""
    if isinstance(value, Mapping):
        return {str(name): _value(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
