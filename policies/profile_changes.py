"""What people may say of themselves, what of it counts at once, and what is wrong with it.  Regulation 3.3, 3.6.

Owns the fields, the form of each value, and which statement is the newest.  Leaves alone where statements are kept, who
confirms them (`permissions`), and what systems learn of them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from policies.naming import IGNORABLE

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164, as orders write it
NAME = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")  # words of letters with one separator between them
MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321, 4.1.2
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
POSTAL_CODE = re.compile(r"[0-9A-Za-z -]{3,10}")
COUNTRY = re.compile(r"[A-Z]{2}")
TYPED_IN_PHONES = re.compile(r"[\s().-]")
ONE_SPELLING = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "‐": "-", "‑": "-"})  # what keyboards write
SCRIPTS = ("LATIN", "CYRILLIC")
HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
LONGEST_NAME, LONGEST_TEXT, LONGEST_ADDRESS, LONGEST_MAILBOX = 100, 200, 254, 64  # characters
ADDRESS_PARTS = ("country", "region", "city", "street", "building", "flat", "postalCode")  # as orders write it


class Way(Enum):
    """How a statement comes to count."""

    AT_ONCE = "at-once"
    BY_LINK = "by-link"  # once a link mailed to the new address is opened
    BY_HR = "by-hr"


class Wrong(Enum):
    """Why a value is not taken."""

    MISSING = "missing"
    TOO_LONG = "too-long"
    NOT_A_PHONE = "not-a-phone"
    NOT_AN_ADDRESS = "not-an-address"
    OWN_DOMAIN = "own-domain"  # that mailbox closes with the account
    NOT_LETTERS = "not-letters"
    MIXED_SCRIPTS = "mixed-scripts"
    NOT_PLAIN = "not-plain"
    NOT_A_COUNTRY = "not-a-country"
    NOT_A_POSTAL_CODE = "not-a-postal-code"


@dataclass(frozen=True, slots=True)
class Own:
    """What a person said of one field, and since when it counts."""

    value: Any
    since: datetime


Said = tuple[date, datetime]
"""When an order said it: the day it was approved, the moment it was received."""

WAYS: Mapping[str, Way] = {
    "work_phone": Way.AT_ONCE,
    "mobile_phone": Way.AT_ONCE,
    "home_address": Way.AT_ONCE,
    "personal_email": Way.BY_LINK,
    "family": Way.BY_HR,
    "given": Way.BY_HR,
    "patronymic": Way.BY_HR,
    "duties": Way.BY_HR,
}
CONTACTS = ("work_phone", "mobile_phone", "personal_email")
NAMES = ("family", "given", "patronymic", "duties")
MAY_BE_EMPTY = frozenset({"work_phone", "patronymic", "duties"})  # students have no work phone


def read_contacts(
    entered: Mapping[str, str], present: Mapping[str, Any], domain: str
) -> tuple[dict[str, Any], dict[str, Wrong]]:
    """The contacts that differ from the present ones, as they are kept, and what is wrong by field; `domain` is the
    institution's own.

    The parts of the home address are named `home_address.city` and so on, in the form and in what is wrong.
    """
    values, wrong = _read(entered, present, CONTACTS)
    if str(values.get("personal_email", "")).endswith(f"@{domain}"):
        wrong["personal_email"] = Wrong.OWN_DOMAIN
    home, wrong_parts = _home(entered)
    if home == (present.get("home_address") or {}):
        return values, wrong
    return values | {"home_address": home}, wrong | wrong_parts


def read_names(entered: Mapping[str, str], present: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Wrong]]:
    """Parts of the name and the scope of duties that differ from the present ones, and what is wrong by field."""
    return _read(entered, present, NAMES)


def newest(
    orders: Mapping[str, Any], said: Mapping[str, Said], own: Mapping[str, Own], zone: ZoneInfo
) -> dict[str, Any]:
    """The value of each field by whoever said it last: the orders, or the person.

    A Latin spelling falls away with the name it belonged to.
    """
    standing = {name: one.value for name, one in own.items() if _stands(one, said.get(name), zone)}
    stale = {f"latin_{name}": None for name in standing if f"latin_{name}" in orders and standing[name] != orders[name]}
    return {**orders, **standing, **stale}


def _stands(own: Own, order: Said | None, zone: ZoneInfo) -> bool:
    """Whether no order is newer: by its day, and on the same day by its arrival."""
    if order is None:
        return True
    day, received_at = order
    stated_on = own.since.astimezone(zone).date()
    return day < stated_on or (day == stated_on and received_at <= own.since)


# --- the form of each value


def _read(
    entered: Mapping[str, str], present: Mapping[str, Any], names: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Wrong]]:
    """What stays as it is is not looked at: an order may have said what nobody could enter here."""
    values: dict[str, Any] = {}
    wrong: dict[str, Wrong] = {}
    for name in names:
        text = _tidy(entered.get(name, ""))
        if text == (present.get(name) or ""):
            continue
        found = _value(name, text)
        if isinstance(found, Wrong):
            wrong[name] = found
        elif found != present.get(name):
            values[name] = found
    return values, wrong


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _value(name: str, text: str) -> str | Wrong | None:
    """One value; None where it is empty and may be."""
    if not text:
        return None if name in MAY_BE_EMPTY else Wrong.MISSING
    return FORMS[name](text)


def _phone(text: str) -> str | Wrong:
    """E.164; the brackets, blanks and marks of direction that come with pasted numbers are left out."""
    bare = TYPED_IN_PHONES.sub("", IGNORABLE.sub("", unicodedata.normalize("NFKC", text)))
    return bare if PHONE.fullmatch(bare) else Wrong.NOT_A_PHONE


def _email(text: str) -> str | Wrong:
    mailbox, _, host = text.rpartition("@")
    if len(text) > LONGEST_ADDRESS or len(mailbox) > LONGEST_MAILBOX:
        return Wrong.TOO_LONG
    if not MAILBOX.fullmatch(mailbox) or not HOST.fullmatch(host):
        return Wrong.NOT_AN_ADDRESS
    return f"{mailbox}@{host.lower()}"


def _name(text: str) -> str | Wrong:
    """Words of letters, all of one script."""
    spelt = text.translate(ONE_SPELLING)
    if len(spelt) > LONGEST_NAME:
        return Wrong.TOO_LONG
    letters = [letter for letter in spelt if letter not in " '-"]
    scripts = {_script(letter) for letter in letters}
    if not NAME.fullmatch(spelt) or None in scripts:
        return Wrong.NOT_LETTERS
    return Wrong.MIXED_SCRIPTS if len(scripts) > 1 else spelt


def _script(letter: str) -> str | None:
    """Which of the two scripts a letter belongs to; letters made to look like others belong to none."""
    if unicodedata.category(letter) not in ("Lu", "Ll"):
        return None
    word = unicodedata.name(letter).partition(" ")[0]
    return word if word in SCRIPTS else None


def _text(text: str) -> str | Wrong:
    if len(text) > LONGEST_TEXT:
        return Wrong.TOO_LONG
    return Wrong.NOT_PLAIN if any(unicodedata.category(letter) in HIDDEN for letter in text) else text


def _home(entered: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Wrong]]:
    """The parts that say something; none at all: the person lives nowhere we are told of."""
    told = {part: _tidy(entered.get(f"home_address.{part}", "")) for part in ADDRESS_PARTS}
    parts = {part: text for part, text in told.items() if text}
    wrong = {part: reason for part, text in parts.items() if (reason := _wrong_part(part, text))}
    if parts and "city" not in parts:
        wrong["city"] = Wrong.MISSING
    return parts, {f"home_address.{part}": reason for part, reason in wrong.items()}


def _wrong_part(part: str, text: str) -> Wrong | None:
    if part == "country" and not COUNTRY.fullmatch(text):
        return Wrong.NOT_A_COUNTRY
    if part == "postalCode" and not POSTAL_CODE.fullmatch(text):
        return Wrong.NOT_A_POSTAL_CODE
    found = _text(text)
    return found if isinstance(found, Wrong) else None


FORMS: Mapping[str, Callable[[str], str | Wrong]] = {
    "work_phone": _phone,
    "mobile_phone": _phone,
    "personal_email": _email,
    "family": _name,
    "given": _name,
    "patronymic": _name,
    "duties": _text,
}
