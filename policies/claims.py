"""What a client learns about a person, by the scopes it was given.  Regulation 3.6 (kept once, here); OIDC Core 5.4.

Owns which claim belongs to which scope.  Leaves alone `sub` and the protocol claims, which the provider adds.
"""

from collections.abc import Collection, Mapping
from typing import Any

CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name", "middle_name", "preferred_username", "locale", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number",),
    "affiliation": ("affiliation", "department"),
}


def claims_for(
    scopes: frozenset[str],
    person: Mapping[str, Any],
    asked: frozenset[str] = frozenset(),
    allowed: Collection[str] | None = None,
) -> dict[str, Any]:
    """The claims that these scopes open, and those `asked` for one by one (OIDC Core, 5.5), as far as they are `allowed`
    (None: all); `person` is keyed by claim name, what is absent or empty is left out."""
    opened = [claim for scope, claims in CLAIMS.items() for claim in claims if scope in scopes or claim in asked]
    told = [claim for claim in opened if allowed is None or claim in allowed]
    return {claim: _plain(person[claim]) for claim in told if _says_something(claim, person)}


def _says_something(claim: str, person: Mapping[str, Any]) -> bool:
    """False and 0 say something, emptiness does not; neither does "verified" without an address."""
    if claim == "email_verified" and not person.get("email"):
        return False
    value = person.get(claim)
    return isinstance(value, int) or bool(value)


def _plain(value: Any) -> Any:
    """A value as JSON knows it: several of a kind become a list, in a fixed order."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
