"""Writing what is known of a person now: names, contacts, home address, scope of duties (Regulation 3.6).

Owns the row and its record in the trail.  Leaves alone who said it: orders (`follow_orders.py`) or the person
(`change_profile.py`).
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Person


def hold_person(person_id: UUID) -> Person:
    """The person as they are now, locked for the running transaction: orders and the person write one after another.

    Before an account is held, never after.
    """
    db.session.flush()
    return db.session.get_one(Person, person_id, with_for_update={"key_share": True}, populate_existing=True)


def write_person(here: Here, person: Person, told: Mapping[str, Any]) -> None:
    """Names, contacts and home address, in one record of what changed; nothing where all stays."""
    plain = {name: value for name, value in told.items() if name != "home_address"}
    changed = {name: getattr(person, name) for name in plain if getattr(person, name) != plain[name]}
    for name in changed:
        setattr(person, name, plain[name])
    left, moved_to = _move(here, person, told.get("home_address"))
    if changed or left != moved_to:
        before, after = changed | left, {name: plain[name] for name in changed} | moved_to
        account = db.session.scalar(sa.select(Account).where(Account.person_id == person.id))
        record(here, "person-changed", account, subject=f"person/{person.id}", before=before, after=after)


def home_address(here: Here, person: Person) -> dict[str, str]:
    """Where the person lives, as orders write it; empty when nobody told."""
    sealed = person.home_address
    told: dict[str, str] = json.loads(here.service.vault.open(sealed, _place(person))) if sealed else {}
    return told


def _place(person: Person) -> str:
    return f"person/{person.id}/home_address"


def _move(here: Here, person: Person, told: Mapping[str, str] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keep the home address, sealed.  What it was and is goes on record as changed, no more (`policies/redaction.py`);
    nothing where it stays."""
    before = home_address(here, person) or None
    if told is None or (told or None) == before:
        return {}, {}
    person.home_address = (
        here.service.vault.seal(json.dumps(told, ensure_ascii=False), _place(person)) if told else None
    )
    return {"home_address": before}, {"home_address": told or None}
