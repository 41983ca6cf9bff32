"""The audit trail: the only place that writes it (Regulation 6.1; design, decision 12).

`record` notes an act inside the running transaction.  When that commits, the notes are chained as its very last
step: each record carries the hash of the one before, so that nothing can be changed, removed or slipped in
unnoticed.  If they can't be written, the transaction fails.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, scoped_session

from idp.db import db
from idp.errors import AchkychError
from idp.flows.here import Here
from idp.flows.tell_receivers import tell_receivers
from idp.models import AuditDay, AuditRecord
from idp.prepared import Prepared
from policies.redaction import redact

CHAIN_LOCK = 0x4143484B  # whoever writes the very first record, on PostgreSQL; after it the last day's row is the lock
BEGINNING = "0" * 64
BEFORE_ALL = date.min
ATTEMPTS = 5  # to find the end: a day begins once a day


class Named(Protocol):
    """An account as far as a record names it: its row, or what a look-up told of it."""

    @property
    def id(self) -> UUID:
        """The row's."""

    @property
    def login(self) -> str:
        """What the person calls themselves by."""


class Note(NamedTuple):
    """An act that is to be recorded: the columns of `AuditRecord` that are known before it has its place."""

    at: datetime
    actor: str
    act: str
    subject: str | None
    account_id: UUID | None
    login: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    request_id: str


class End(NamedTuple):
    """Where the chain ends: its last day, the hash and number of its last record, and whether that day is sealed."""

    day: date
    head: str
    last_number: int
    signature: str | None


# On the tables themselves, prepared: every act of everybody passes here.
RECORDS = cast(sa.Table, AuditRecord.__table__)
DAYS = cast(sa.Table, AuditDay.__table__)
THE_END = Prepared(
    sa.select(DAYS.c.day, DAYS.c.head, DAYS.c.last_number, DAYS.c.signature)
    .order_by(DAYS.c.day.desc())
    .limit(1)
    .with_for_update()
)
NOTHING_LATER = ~sa.exists().where(DAYS.alias("later").c.day > sa.bindparam("last_day"))
_MOVE = (
    sa.update(DAYS)
    .where(DAYS.c.day == sa.bindparam("last_day"), NOTHING_LATER)
    .values(
        head=sa.bindparam("new_head"),
        last_number=sa.bindparam("new_number"),
        records=DAYS.c.records + sa.bindparam("more"),
    )
    .returning(DAYS.c.day)
)
GO_ON = Prepared(_MOVE)
BEGIN_DAY = Prepared(
    sa.insert(DAYS)
    .from_select(
        ["day", "first", "head", "last_number", "records"],
        sa.select(
            sa.bindparam("new_day", type_=DAYS.c.day.type),
            sa.bindparam("old_head", type_=DAYS.c.first.type),
            sa.bindparam("new_head", type_=DAYS.c.head.type),
            sa.bindparam("new_number", type_=DAYS.c.last_number.type),
            sa.bindparam("more", type_=DAYS.c.records.type),
        ).where(NOTHING_LATER),
    )
    .returning(DAYS.c.day)
)
WRITE = Prepared.insert(AuditRecord)
# most transactions end with one record on a day that has begun: PostgreSQL takes both in one statement
GO_ON_AND_WRITE = Prepared(
    sa.insert(RECORDS)
    .from_select(
        RECORDS.columns.keys(),
        sa.select(*(sa.bindparam(f"its_{column.name}", type_=column.type) for column in RECORDS.columns)).select_from(
            _MOVE.cte("moved")
        ),
    )
    .returning(RECORDS.c.number)
)


def record(
    here: Here,
    act: str,
    account: Named | None = None,
    *,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    login: str | None = None,
) -> None:
    """Note that `act` was done to `account` (or to the entered `login`), with the values before and after.

    Values pass `policies.redaction`: secrets become «changed».  Other systems that want to hear of it will.
    """
    noted = note(here, act, account, subject=subject, before=before, after=after, login=login)
    db.session.info.setdefault("audit", []).append(noted)
    if account is not None:
        tell_receivers(here, act, account.id, account.login, noted.before, noted.after)


def note(
    here: Here,
    act: str,
    account: Named | None = None,
    *,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    login: str | None = None,
) -> Note:
    """What `record` notes, for a transaction of its own that ends with `chain`."""
    return Note(
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


def chain_on_commit(session: scoped_session[Any]) -> None:
    """Have every commit of `session` chain the records noted in it."""
    event.listen(session, "before_commit", _chain)
    event.listen(session, "after_rollback", _forget)


def chain(connection: Connection, notes: Sequence[Note]) -> None:
    """Write `notes` at the end of the chain, as the last statements of the transaction of `connection`.

    Only there: the end of the chain is locked from here on, and must not be waited for with anything else still to
    lock.  A day that is sealed is continued by the day after it, whatever the clock says.
    """
    attempts = len(notes) + ATTEMPTS
    while notes:
        attempts -= 1
        if attempts < 0:
            raise AchkychError("the end of the audit trail moves away")
        end = _end(connection)
        open_day = end.day + timedelta(days=1) if end.signature else end.day
        day = max(open_day, _day(notes[0]))
        count = next((count for count, item in enumerate(notes) if _day(item) > day), len(notes))
        if _append(connection, end, day, notes[:count]):
            notes = notes[count:]


def hash_of(item: AuditRecord) -> str:
    """The hash that chains a record: over everything it says and the hash before it."""
    return _hash({column.name: getattr(item, column.name) for column in RECORDS.columns})


def _forget(session: Session) -> None:
    """A savepoint rolled back is not the end: what was noted before it still happens (`open_account`)."""
    if not session.in_nested_transaction():
        session.info.pop("audit", None)


def _chain(session: Session) -> None:
    if session.in_nested_transaction():
        return
    noted: list[Note] = session.info.pop("audit", [])
    if noted:
        session.flush()
        chain(session.connection(), noted)


def _end(connection: Connection) -> End:
    """Where the chain ends, locked.  Whoever waited for the lock may have been given a day that is not the last."""
    found = THE_END.first(connection)
    if found is None and connection.dialect.name == "postgresql":  # no row to lock yet
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
        found = THE_END.first(connection)
    return End(*found) if found else End(BEFORE_ALL, BEGINNING, 0, None)


def _append(connection: Connection, end: End, day: date, notes: Sequence[Note]) -> bool:
    """Write what happened on one `day`; False when somebody began a later day than `end` names, and nothing is
    written."""
    rows = _chained(end, day, notes)
    values = {
        "last_day": end.day, "new_head": rows[-1]["hash"], "new_number": rows[-1]["number"], "more": len(rows),
    }  # fmt: skip
    if day == end.day and len(rows) == 1 and connection.dialect.name == "postgresql":
        its = {f"its_{name}": value for name, value in rows[0].items()}  # «day» alone would be a new day for the day
        return GO_ON_AND_WRITE.first(connection, **values, **its) is not None
    if day == end.day:
        moved = GO_ON.first(connection, **values)
    else:
        moved = BEGIN_DAY.first(connection, **values, new_day=day, old_head=end.head)
    if moved is None:
        return False
    for row in rows:
        WRITE.all(connection, **row)
    return True


def _chained(end: End, day: date, notes: Sequence[Note]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    previous = end.head
    for number, item in enumerate(notes, end.last_number + 1):
        row = item._asdict() | {"number": number, "day": day, "previous": previous}
        row["hash"] = previous = _hash(row)
        rows.append(row)
    return rows


def _day(item: Note) -> date:
    return item.at.astimezone(UTC).date()


def _hash(row: Mapping[str, Any]) -> str:
    said = [
        row["number"], row["at"].astimezone(UTC).isoformat(), row["day"].isoformat(), row["actor"], row["act"],
        row["subject"], str(row["account_id"]), row["login"], row["before"], row["after"], row["address"],
        row["request_id"], row["previous"],
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
