"""Which passwords are refused, and for which reasons.  Regulation 5.1.

Owns the composition rules and the one normalisation.  Leaves alone hashing, the list of leaked passwords and the
history of the account: their verdicts come in as two booleans; and what other systems say of it.
"""

import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

# A fragment of one or two characters (an initial, a short surname such as "Ли") would refuse half of all passwords.
SHORTEST_FRAGMENT = 3


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """Regulation 5.1 in numbers: lengths in characters after NFKC, `longest_run` in equal characters side by side."""

    shortest: int = 8
    longest: int = 128
    longest_run: int = 1


class Broken(Enum):
    """One broken rule; the value is the code under which a page explains it."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    NO_DIGIT = "no-digit"
    NO_LOWER = "no-lower"
    NO_UPPER = "no-upper"
    NO_SPECIAL = "no-special"
    REPEATED = "repeated"  # the same character stands too often in a row
    PERSONAL = "personal"  # contains something of the person's own
    COMMON = "common"  # on the list of common or leaked passwords
    USED_BEFORE = "used-before"  # by this account, ever
    OTHER_SERVICE = "other-service"  # it opens the person's mail, or another system; told alone, as it is asked last


def normalise(password: str) -> str:
    """The one form in which a password is measured, hashed and verified: Unicode NFKC."""
    return unicodedata.normalize("NFKC", password)


def broken_rules(
    password: str, rules: PasswordRules, personal: Iterable[str], is_common: bool, used_before: bool
) -> tuple[Broken, ...]:
    """Every rule the password breaks, in the order of `Broken`; empty when it is good.

    `personal`: login, names, local part of the e-mail, digits of the phones, personal number.
    """
    text = normalise(password)
    verdicts = {
        Broken.TOO_SHORT: len(text) < rules.shortest,
        Broken.TOO_LONG: len(text) > rules.longest,
        Broken.NO_DIGIT: not any(map(str.isdecimal, text)),
        Broken.NO_LOWER: not any(map(str.islower, text)),
        Broken.NO_UPPER: not any(map(str.isupper, text)),
        Broken.NO_SPECIAL: not any(character in string.punctuation for character in text),
        Broken.REPEATED: _longest_run(text) > rules.longest_run,
        Broken.PERSONAL: _contains_any(text, personal),
        Broken.COMMON: is_common,
        Broken.USED_BEFORE: used_before,
    }
    return tuple(rule for rule, is_broken in verdicts.items() if is_broken)


def _longest_run(text: str) -> int:
    """How often the most repeated character stands side by side; 0 for the empty text."""
    return max((len(list(run)) for _, run in groupby(text)), default=0)


def _contains_any(text: str, personal: Iterable[str]) -> bool:
    """Whether any fragment long enough to mean something stands in the text, whatever its case."""
    folded = text.casefold()
    fragments = (normalise(fragment).casefold().strip() for fragment in personal)
    return any(len(fragment) >= SHORTEST_FRAGMENT and fragment in folded for fragment in fragments)
