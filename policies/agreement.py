"""Which agreements a person must still accept: on the simple electronic signature, on electronic HR documents.
Regulation 6.2, 6.3, 1.6, S1-1.1, annex 2.

Owns the question, and by what a text is known again.  Leaves alone the texts (profile) and the record of acceptance.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Agreement:
    """A text in force: its code, the version people see, the digest (hex) of what they accept, and which kinds of
    belonging it is for (`affiliations.Kind`), none for everybody."""

    code: str
    version: str
    sha256: str
    audience: frozenset[str] = frozenset()


def digest_of(version: str, texts: Mapping[str, str]) -> str:
    """One digest over the version and all languages: accepting it in one of them is accepting it."""
    whole = "\0".join((version, *(f"{language}\0{texts[language]}" for language in sorted(texts))))
    return sha256(whole.encode()).hexdigest()


def missing(in_force: Iterable[Agreement], kinds: Collection[str], accepted: Collection[str]) -> tuple[Agreement, ...]:
    """Those `in_force` that somebody who belongs by `kinds` has not accepted, in their order; `accepted` are digests, so
    a changed text asks again."""
    return tuple(one for one in in_force if _is_for(one, kinds) and one.sha256 not in accepted)


def _is_for(agreement: Agreement, kinds: Collection[str]) -> bool:
    return not agreement.audience or not agreement.audience.isdisjoint(kinds)
