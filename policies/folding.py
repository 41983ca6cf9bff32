"""What all orders of a person add up to.  Regulation 3.2, 3.6, 3.7; orders contract, "Applying".

Owns the order in which lines take effect, the latest name and contacts.  Leaves alone what a single line does
(`chains`), the storing and versioning of orders, and what an affiliation entitles to (`access`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any

from policies.affiliations import OPENING, Folded, Note, OrderLine
from policies.chains import HANDLERS, Chains, Outcome, effective_day, not_known

NAMING = OPENING | {"rename"}
CONTACT_KEYS = {
    "workPhone": "work_phone", "workPhoneExtension": "work_phone_extension",
    "mobilePhone": "mobile_phone", "personalEmail": "personal_email",
}  # fmt: skip


def fold(lines: Sequence[OrderLine], today: date | None = None) -> Folded:
    """The state of one person; the order in which the lines come does not matter, only their own dates do.

    `lines`: those of the newest version of each order.  `today`: a rename or change of contacts of a later day is not
    yet in `names` and `contacts`; without it they hold whatever has been ordered.
    """
    effective = sorted((line for line in lines if line.status == "approved"), key=_by_date)
    chains, notes = _applied(effective)
    known = [line for line in effective if today is None or line.kind in OPENING or effective_day(line) <= today]
    pieces = sorted(chain.from_iterable(chains), key=lambda piece: (piece.starts_on, piece.opened_by))
    pending = sorted({effective_day(line) for line in effective if line not in known and _says_who(line)})
    return Folded(
        tuple(pieces), _names(known), _contacts(known), notes, tuple(pending), _home_address(known), _said(known)
    )


def _applied(lines: Sequence[OrderLine]) -> tuple[Chains, tuple[Note, ...]]:
    """The lines one after the other; one that cannot be applied leaves a note and nothing else."""
    chains: Chains = ()
    notes: list[Note] = []
    for line in lines:
        outcome = _outcome(chains, line)
        if isinstance(outcome, str):
            notes.append(Note(line.order_id, line.version, line.line, outcome))
        else:
            chains = outcome
    return chains, tuple(notes)


def _outcome(chains: Chains, line: OrderLine) -> Outcome:
    """What one line does to the chains."""
    if line.effective_until is not None and line.effective_until < effective_day(line):
        return "ends-before-it-begins"
    return HANDLERS.get(line.kind, not_known)(chains, line)


def _by_date(line: OrderLine) -> tuple[date, date, str, str, str, tuple[int, ...]]:
    """When it takes effect; on the same day the later approval has the last word, then number, id and paragraph."""
    paragraph = tuple(int(number) for number in line.line.split("."))
    return effective_day(line), line.approved_on, line.number, line.order_id, line.source, paragraph


# --- name and contacts


def _says_who(line: OrderLine) -> bool:
    """Whether the line can change name or contacts."""
    return "contacts" in line.body or (line.kind in NAMING and "name" in line.body)


def _names(lines: Sequence[OrderLine]) -> dict[str, str | None]:
    """The name after all lines; a part the latest order leaves out stays as it was."""
    names: dict[str, str | None] = {}
    for line in lines:
        if line.kind in NAMING and "name" in line.body:
            names = _renamed(names, line.body["name"])
    return names


def _renamed(names: Mapping[str, str | None], name: Mapping[str, Any]) -> dict[str, str | None]:
    """The name after one order; a Latin spelling falls away with the spelling it belonged to."""
    latin = name.get("latin") or {}
    stale = {f"latin_{part}" for part in ("family", "given") if part in name and name[part] != names.get(part)}
    kept = {key: value for key, value in names.items() if key not in stale}
    told = {part: name[part] for part in ("family", "given", "patronymic") if part in name}
    return kept | told | {f"latin_{part}": latin[part] for part in ("family", "given") if part in latin}


def _contacts(lines: Sequence[OrderLine]) -> dict[str, str]:
    """The contacts after all lines."""
    contacts: dict[str, str] = {}
    for line in lines:
        told = line.body.get("contacts") or {}
        contacts |= {ours: told[theirs] for theirs, ours in CONTACT_KEYS.items() if theirs in told}
    return contacts


def _said(lines: Sequence[OrderLine]) -> dict[str, tuple[date, datetime]]:
    """When what the others tell was said: approval and receipt of the line that had the last word on each."""
    said: dict[str, tuple[date, datetime]] = {}
    for line in lines:
        contacts = line.body.get("contacts") or {}
        names = line.body.get("name", {}) if line.kind in NAMING else {}
        told = {"home_address"} if "homeAddress" in contacts else set()
        told |= {ours for theirs, ours in CONTACT_KEYS.items() if theirs in contacts}
        told |= {part for part in ("family", "given", "patronymic") if part in names}
        said |= dict.fromkeys(told, (line.approved_on, line.received_at))
    return said


def _home_address(lines: Sequence[OrderLine]) -> Mapping[str, str] | None:
    """The whole of the latest one: a flat of the last address is none of the next."""
    told = [contacts["homeAddress"] for line in lines if "homeAddress" in (contacts := line.body.get("contacts") or {})]
    return told[-1] if told else None
