"""Logins, addresses and display names, and the one form in which a login is compared.  Regulation 4.4, 5.7.

Owns canonical form, transliteration and the order of proposals.  Leaves alone which proposal is still free.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import count

# Letters as passports of the Kyrgyz Republic write them, after ICAO Doc 9303-3; hard and soft sign are dropped.
# Besides Kyrgyz and Russian: the letters of neighbours' names, and Latin ones that do not decompose.
LETTERS = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "ң": "n", "о": "o", "ө": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ү": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y",
    "ь": "", "э": "e", "ю": "iu", "я": "ia",
    "ә": "a", "ғ": "g", "қ": "k", "ұ": "u", "һ": "h", "і": "i", "ї": "i", "є": "ie", "ґ": "g", "ў": "u", "ҳ": "h",
    "ҷ": "j", "ӣ": "i", "ӯ": "u",
    "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
}  # fmt: skip

# Default_Ignorable_Code_Point of Unicode (DerivedCoreProperties.txt); the standard library does not know the property.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Blanks of every kind; control characters and lone surrogates besides, which no database takes.
BLANK_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cs"})

# Together with the dot and a number of three digits they fill the 64 characters of a local part (RFC 5321 4.5.3.1.1).
LONGEST_GIVEN = 20
LONGEST_FAMILY = 40
NAMELESS = "user"


def canonical_login(text: str) -> str:
    """The form in which logins are looked up, counted and compared; total, and stable when applied again."""
    folded = _fold_once(text)
    while (again := _fold_once(folded)) != folded:  # folding may uncover what NFKC folds further
        folded = again
    return folded


def _fold_once(text: str) -> str:
    """NFKC and case folding, then nothing that does not show."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    shown = (character for character in folded if unicodedata.category(character) not in BLANK_CATEGORIES)
    return IGNORABLE.sub("", "".join(shown))


def transliterate(text: str) -> str:
    """The text in ASCII Latin letters, case kept; characters without a Latin counterpart fall away."""
    return "".join(map(_latin, unicodedata.normalize("NFC", text)))


def _latin(character: str) -> str:
    """One character in ASCII: by the table, else by its parts without accents."""
    if character.isascii():
        return character
    letters = LETTERS.get(character.lower())
    if letters is None:
        parts = unicodedata.normalize("NFKD", character)
        return "".join(map(_latin, parts)) if parts != character else ""
    return letters.capitalize() if character.isupper() else letters


def login_candidates(family: str, given: str, latin_family: str | None, latin_given: str | None) -> Iterator[str]:
    """Proposals without end, best first, no two alike: a.ulgubaeva, anara.ulgubaeva, a.ulgubaeva2, a.ulgubaeva3 ...

    Only [a-z0-9.-]; the Latin spelling of the order goes before our own.
    """
    surname = _part(latin_family, family)[:LONGEST_FAMILY].rstrip("-")
    first_name = _part(latin_given, given)[:LONGEST_GIVEN].rstrip("-")
    shortest, full = _joined(first_name[:1], surname), _joined(first_name, surname)
    yield shortest
    if full != shortest:
        yield full
    numbered = (f"{shortest}{number}" for number in count(2))
    yield from (login for login in numbered if login != full)  # a name may be made of digits


def _part(latin: str | None, original: str) -> str:
    """One name as a piece of a login: joined, lower case, single hyphens inside ("Үлгү уулу" -> ulguuulu)."""
    for spelling in (latin or "", original):
        letters = re.sub("[^a-z0-9-]", "", transliterate(spelling).lower())
        if piece := re.sub("-+", "-", letters).strip("-"):
            return piece
    return ""


def _joined(first_name: str, surname: str) -> str:
    """The two pieces with a dot between; a person without a writable name is still somebody."""
    return ".".join(filter(None, (first_name, surname))) or NAMELESS


def display_name(given: str, family: str, patronymic: str | None) -> str:
    """The full name as the orders write it: family, given, patronymic; single blanks."""
    return " ".join(f"{family} {given} {patronymic or ''}".split())


def address(login: str, domain: str) -> str:
    """The corporate e-mail address that belongs to a login."""
    return f"{login}@{domain}"
