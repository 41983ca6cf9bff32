"""How our attributes look in a user record of Google's Directory API, and back.

Owns the field map and the bounds; no calls are made here.
"""

from collections.abc import Mapping
from typing import Any

from connectors.base import Json, OutcomeKind, TargetError
from connectors.google_rest import Document

NAMES = {"given_name": "givenName", "family_name": "familyName"}
WORK = {"title": "title", "department_name": "department"}  # fields of the primary entry of `organizations`
LONGEST_NAME = 60  # characters, of each of the two


def fields(changes: Mapping[str, Json], user: Document) -> Document:
    """What to send so that `user` ({} for a new one) gets these values; what Google would refuse is refused by name.

    A list is replaced as a whole, so entries that others made are sent back as they are.
    """
    found: Document = {}
    if "email" in changes:
        found["primaryEmail"] = _needed("email", changes["email"])
    if names := {NAMES[name]: _name(name, changes[name]) for name in NAMES if name in changes}:
        found["name"] = names
    if work := {WORK[name]: str(changes[name] or "") for name in WORK if name in changes}:
        found["organizations"] = _organizations(user, work)
    return found


def attributes(user: Document) -> dict[str, Json]:
    """A user record in our words; what is empty is left out."""
    name, work = user.get("name", {}), _primary(user)
    seen = {"email": user.get("primaryEmail"), **{ours: name.get(theirs) for ours, theirs in NAMES.items()},
            **{ours: work.get(theirs) for ours, theirs in WORK.items()}}  # fmt: skip
    return {name: value for name, value in seen.items() if value}


def account_of(user: Document) -> str:
    """Our account id: the external id of type `organization`; "" where there is none."""
    ids = [one.get("value", "") for one in user.get("externalIds", ()) if one.get("type") == "organization"]
    return str(ids[0]) if ids else ""


def _organizations(user: Document, work: Mapping[str, str]) -> list[dict[str, Any]]:
    primary = _primary(user)
    others = [entry for entry in user.get("organizations", ()) if entry is not primary]
    ours = {**(primary or {"primary": True, "type": "work"}), **work}
    return [{name: value for name, value in ours.items() if value != ""}, *others]


def _primary(user: Document) -> dict[str, Any]:
    entries: list[dict[str, Any]] = user.get("organizations", [])
    return next((entry for entry in entries if entry.get("primary")), {})


def _name(name: str, value: Json) -> str:
    found = _needed(name, value)
    if len(found) > LONGEST_NAME:
        raise TargetError(OutcomeKind.PERMANENT, f"{name} is longer than {LONGEST_NAME} characters")
    return found


def _needed(name: str, value: Json) -> str:
    if not value:
        raise TargetError(OutcomeKind.PERMANENT, f"{name} must not be empty")
    return str(value)
