"""A person's own audit trail (Regulation 6.1): reading only, and only what is recorded of their own account."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.flows.sessions import LiveSession
from idp.models import AuditRecord, Client, System
from policies.devices import device
from policies.trail import Pair, pairs, who_acted

PAGE = 50  # records


def own_history(current: LiveSession, language: str, before: int | None) -> tuple[list[dict[str, Any]], int | None]:
    """A page of records, the newest first, those older than the record numbered `before`; and the number to go on
    from, None at the end."""
    wanted = sa.select(AuditRecord).where(AuditRecord.account_id == current.account_id)
    if before is not None:
        wanted = wanted.where(AuditRecord.number < before)
    found = db.session.scalars(wanted.order_by(AuditRecord.number.desc()).limit(PAGE + 1)).all()
    page = found[:PAGE]
    names = _names(page, language)
    told = [_told(one, current.login, names) for one in page]
    return told, page[-1].number if len(found) > PAGE else None


def _told(one: AuditRecord, login: str, names: dict[str, str]) -> dict[str, Any]:
    """An officer's address is the officer's own."""
    who, name = who_acted(one.actor, login)
    return {
        "at": one.at,
        "act": one.act,
        "subject": names.get(one.subject or "", ""),
        "who": who,
        "name": names.get(f"client/{name}", name) if who == "client" else name,
        "address": one.address if who in ("self", "anonymous") else None,
        "pairs": list(_with_device(pairs(one.before, one.after))),
    }


def _with_device(told: list[Pair]) -> Iterable[Pair]:
    """A browser by the words people know it by."""
    for name, old, new in told:
        yield ("device", old, device(str(new)) or new) if name == "agent" else (name, old, new)


def _names(page: Sequence[AuditRecord], language: str) -> dict[str, str]:
    """Systems and clients that the records are about, or that acted in them, by the names people know."""
    said = {text for one in page for text in (one.subject, one.actor) if text}
    clients = [text.removeprefix("client/") for text in said if text.startswith("client/")]
    systems = [text.removeprefix("system/") for text in said if text.startswith("system/")]
    known = sa.select(Client.client_id, Client.registration).where(Client.client_id.in_(clients))
    named = sa.select(System.code, System.names).where(System.code.in_(systems))
    return {f"system/{row.code}": row.names[language] for row in db.session.execute(named)} | {
        f"client/{row.client_id}": row.registration.get("client_name") or row.client_id
        for row in db.session.execute(known)
    }
