"""When a person must accept the agreement on the simple electronic signature.  Regulation 6.2, 6.3, 1.6.

Owns the question only.  Leaves alone the text (profile) and the record of acceptance.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """The text in force: the version people see, and the digest (hex) of what they accept."""

    version: str
    sha256: str


def required(current: Agreement, accepted_versions: Collection[str]) -> bool:
    """Whether acceptance is still missing; `accepted_versions` are digests, so a changed text asks again."""
    return current.sha256 not in accepted_versions
