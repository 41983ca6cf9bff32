"""Who must have a second factor, and how what is typed as one is read.  Regulation 5.1, 5.7; RFC 6238; ASVS 6.3.3.

Owns the rule and the shapes of codes.  Leaves alone checking them (`idp/flows/second_factor.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.permissions import Appointment, is_current

DIGITS = 6
WINDOW = 1  # steps of 30 seconds that a clock may be off, either way (RFC 6238, 5.2)
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "0123456789"  # a telephone shows digits alone for the field
RECOVERY_LENGTH = 16  # 53 bits, each guess counted (ASVS 6.5.3)


@dataclass(frozen=True, slots=True)
class FactorRules:
    """Whether whoever may act for others must have a second factor; how long one officer waits for the consent of
    another to remove theirs."""

    required_for_officers: bool = True
    consent_within: timedelta = timedelta(hours=24)


def required(appointments: Iterable[Appointment], rules: FactorRules, now: datetime) -> bool:
    """Whether an account with these appointments must have a second factor."""
    return rules.required_for_officers and any(is_current(one, now) for one in appointments)


def officers_needed(appointments: Iterable[Appointment], now: datetime) -> int:
    """How many officers it takes to remove the factors of an account with these appointments: whoever gets hold of it
    acts for others, so one alone must not open that door."""
    return 2 if any(is_current(one, now) for one in appointments) else 1


def read_code(entered: str) -> str:
    """A code as it is checked: without the blanks and hyphens people type, in capitals."""
    return "".join(letter for letter in entered.upper() if letter.isascii() and letter.isalnum())[:RECOVERY_LENGTH]


def is_one_time_code(code: str) -> bool:
    """Whether it looks like a code of an authenticator; anything else may be a recovery code."""
    return len(code) == DIGITS and code.isdigit()


def in_groups(code: str) -> str:
    """A long code as people read it: in groups of four."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))
