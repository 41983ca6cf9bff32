"""The systems a person may open, as tiles that lead to them (reading only).

A tile leads where a client of the system begins the sign-in, else to the page that client or the profile names; without
any of them it only shows how things stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, Client, Consent, Link, System
from policies.marks import colour, initials


@dataclass(frozen=True, slots=True)
class Door:
    """A client that a person can go to from here; `address` is where it begins the sign-in."""

    client_id: str
    name: str
    address: str
    system: str | None


@dataclass(frozen=True, slots=True)
class Tile:
    """A system, or a client that belongs to none; `href` is empty where nothing can be opened."""

    id: str
    name: str
    initials: str
    colour: int
    standing: str | None  # open, opening, closed, closing; None of a client alone
    href: str


def tiles(here: Here, account: Account, language: str) -> list[Tile]:
    """What can be opened first, then the rest; in each the order of the systems' codes."""
    reachable = doors(account.id)
    pages = {one.code: one.url for one in here.service.profile.systems} | _client_pages()
    found = [_tile(row, language, reachable, pages) for row in _rows(account)]
    found += [_of_door(one) for one in reachable if not any(tile.href == _way(one) for tile in found)]
    return sorted(found, key=lambda tile: not tile.href)


def doors(account_id: UUID) -> list[Door]:
    """The clients that can be gone to from here, signed in: those that said where (OIDC Core, 4), that the account may
    use, and that are the university's own or were let in by its person before."""
    active = sa.select(Link.system).where(Link.account_id == account_id, Link.active.is_(True))
    agreed = sa.exists().where(
        Consent.account_id == account_id, Consent.client_id == Client.id, Consent.withdrawn_at.is_(None)
    )
    rows = db.session.execute(
        sa.select(Client.client_id, Client.system, Client.registration, agreed.label("agreed"))
        .where(Client.removed_at.is_(None), sa.or_(Client.system.is_(None), Client.system.in_(active)))
        .order_by(Client.created_at)
    ).all()
    return [
        Door(row.client_id, said.get("client_name") or row.client_id, said["initiate_login_uri"], row.system)
        for row in rows
        if (said := row.registration).get("initiate_login_uri") and (said.get("first_party") or row.agreed)
    ]


def _rows(account: Account) -> list[sa.Row[Any]]:
    rows = sa.select(System.code, System.names, Link.active, Link.revision, Link.applied_revision)
    mine = rows.join(System, System.code == Link.system).where(Link.account_id == account.id)
    return list(db.session.execute(mine.order_by(Link.system)))


def _client_pages() -> dict[str, str]:
    """Where the university's own clients say that they are, by system (OIDC Registration, 2)."""
    rows = db.session.execute(
        sa.select(Client.system, Client.registration)
        .where(Client.removed_at.is_(None), Client.system.is_not(None))
        .order_by(Client.created_at)
    ).all()
    told = {row.system: row.registration.get("client_uri") for row in rows if row.registration.get("first_party")}
    return {system: page for system, page in told.items() if page and page.startswith("https://")}


def _tile(row: sa.Row[Any], language: str, reachable: list[Door], pages: Mapping[str, str]) -> Tile:
    usable = row.active and row.applied_revision > 0
    door = next((one for one in reachable if one.system == row.code), None)
    href = _way(door) if door else pages.get(row.code, "")
    standing = _standing(row.active, row.revision == row.applied_revision)
    return Tile(
        f"system-{row.code}", row.names[language], initials(row.code), colour(row.code), standing,
        href if usable else "",
    )  # fmt: skip


def _of_door(door: Door) -> Tile:
    return Tile(f"open-{door.client_id}", door.name, initials(door.name), colour(door.client_id), None, _way(door))


def _way(door: Door) -> str:
    return f"/open/{quote(door.client_id, safe='')}"


def _standing(wanted: bool, there: bool) -> str:
    if wanted:
        return "open" if there else "opening"
    return "closed" if there else "closing"
