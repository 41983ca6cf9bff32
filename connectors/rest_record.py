"""One account as a target's answer has it: where its id, our account id, its attributes and its state stand.

Owns reading such a record into our words, and our changes into its fields.  Nothing here talks to anybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

from connectors.base import Json, OutcomeKind, Remote, TargetError

Document: TypeAlias = Mapping[str, Any]

STEP = re.compile(r"([^.\[\]=]+)(?:\[([^.\[\]=]+)=([^.\[\]=]+)\])?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a document: a field in a field; no steps = the document itself.

    A step is a field, and where that holds a list of objects, which of them: the one whose field `name` holds `value`.
    """

    steps: tuple[tuple[str, str, str], ...] = ()  # field, name, value

    def read(self, document: Any) -> Any:
        """What stands there, or None."""
        found = document
        for field, name, value in self.steps:
            found = found.get(field) if isinstance(found, Mapping) else None
            if name:
                items = found if isinstance(found, list) else []
                found = next((one for one in items if isinstance(one, Mapping) and one.get(name) == value), None)
        return found

    def __str__(self) -> str:
        return ".".join(field for field, _, _ in self.steps)


TOP = Place()


def parse_place(text: str) -> Place:
    """`value`, `data.items`, `extended_attributes[type=ACHKYCH].value`; ValueError for anything else."""
    steps = [STEP.fullmatch(piece) for piece in text.split(".")] if text else []
    matched = tuple((step[1], step[2] or "", step[3] or "") for step in steps if step is not None)
    if len(matched) != len(steps):
        raise ValueError("is no place in an answer: fields divided by dots, a list with [field=value]")
    return Place(matched)


@dataclass(frozen=True, slots=True)
class Flag:
    """An account is told open by a field that is true, or (`inverted`) by one that is false."""

    field: str
    inverted: bool

    def read(self, document: Document, today: date | None) -> bool:
        told = document.get(self.field)
        if not isinstance(told, bool):
            raise TargetError(OutcomeKind.PERMANENT, f"the answer has no true or false in {self.field}")
        return told is not self.inverted

    def write(self, active: bool, seen: Document, today: date | None) -> dict[str, Json]:
        return {self.field: active is not self.inverted}


@dataclass(frozen=True, slots=True)
class Expiry:
    """An account is open up to the day in a field, that day included; without a day it stays open.

    Closing makes yesterday its last day.  `opened` is the day that opening writes.  Days are counted in UTC: east of it
    what was closed is closed at once, west of it within the day.
    """

    field: str
    opened: date

    def read(self, document: Document, today: date | None) -> bool:
        told = document.get(self.field)
        try:
            return told is None or date.fromisoformat(str(told)) >= _known(today)
        except ValueError:
            raise TargetError(OutcomeKind.PERMANENT, f"the answer has no day in {self.field}") from None

    def write(self, active: bool, seen: Document, today: date | None) -> dict[str, Json]:
        """Nothing where it is so already: a library's own day, and the day somebody left, stay."""
        if self.read(seen, today) is active:
            return {}
        return {self.field: (self.opened if active else _known(today) - timedelta(days=1)).isoformat()}


def _known(today: date | None) -> date:
    if today is None:
        raise TargetError(OutcomeKind.PERMANENT, "the answer tells no time (header Date)")
    return today


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands in a record.  `today`, here and above, is the day at the target."""

    id: Place
    account_id: Place
    attributes: Mapping[str, str]  # our name -> field
    active: Flag | Expiry

    def remote(self, document: Document, today: date | None) -> Remote:
        """A record in our words; fields left out or null are empty.  A record without an id is PERMANENT."""
        seen = {name: document[field] for name, field in self.attributes.items() if document.get(field)}
        account_id = self.account_id.read(document)
        told = "" if account_id is None else str(account_id)
        return Remote(self.id_of(document), self.active.read(document, today), seen, told)

    def id_of(self, document: Document) -> str:
        """The target's own id; text, even where the target counts."""
        found = self.id.read(document)
        if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
            raise TargetError(OutcomeKind.PERMANENT, f"the answer has no id in {self.id}")
        return str(found)

    def fields(self, changes: Mapping[str, Json], seen: Document, today: date | None) -> dict[str, Json]:
        """Our changes as fields; an attribute that is empty is written as an empty text."""
        written: dict[str, Json] = {self.attributes[name]: value or "" for name, value in changes.items()
                                    if name in self.attributes}  # fmt: skip
        if "active" in changes:
            written |= self.active.write(bool(changes["active"]), seen, today)
        return written
