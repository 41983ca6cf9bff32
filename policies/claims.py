"""What a client learns about a person, by the scopes it was given and what its system needs.  Regulation 3.6 (kept once,
here); OIDC Core 5.1, 5.4, 5.5; the claims of eduPerson and SCHAC as REFEDS writes them for OpenID Connect.

Owns which claim belongs to which scope, who may have it at most, and the controlled words of eduPerson.  Leaves alone
`sub` and the protocol claims, which the provider adds, and where the values come from.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name", "middle_name", "preferred_username", "locale"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number",),
    "address": ("address",),
    "affiliation": ("affiliation", "department", "student_group"),
    "programs": ("programs",),
    "report_sections": ("report_sections",),
    "eduperson": (
        "eduperson_affiliation",
        "eduperson_scoped_affiliation",
        "eduperson_principal_name",
        "schac_home_organization",
    ),
}
EVERY_CLAIM = frozenset(claim for claims in CLAIMS.values() for claim in claims)
USUAL = EVERY_CLAIM - {"address"}  # of a system whose profile says nothing: where people live is told where it is named


def reach(
    registered: Collection[str],
    of_system: Collection[str] = EVERY_CLAIM,
    of_client: Collection[str] | None = None,
) -> frozenset[str]:
    """The claims a client may have at most: those that its `registered` scopes open, of them those its system needs
    (the profile), of them those on its own list, if it has one."""
    opened = {claim for scope in registered for claim in CLAIMS.get(scope, ())}
    return frozenset(opened.intersection(of_system, opened if of_client is None else of_client))


def opened(
    scopes: Collection[str], asked: Collection[str] = (), within: Collection[str] = EVERY_CLAIM
) -> frozenset[str]:
    """The claims that these scopes open, and those `asked` for one by one (OIDC Core, 5.5), none beyond `within`."""
    by_scope = {claim for scope in scopes for claim in CLAIMS.get(scope, ())}
    return frozenset((by_scope | set(asked)).intersection(within))


def claims_for(opened: Collection[str], person: Mapping[str, Any]) -> dict[str, Any]:
    """The `opened` claims that say something; `person` is keyed by claim name, what is absent or empty is left out."""
    told = (claim for claims in CLAIMS.values() for claim in claims if claim in opened)
    return {claim: _plain(person[claim]) for claim in told if _says_something(claim, person)}


def eduperson(affiliations: Iterable[str], login: str, domain: str) -> dict[str, Any]:
    """The same facts in the words of eduPerson and SCHAC, for systems that know no others.

    Whoever works or studies here is a member as well, who is here by a contract for a course only an affiliate;
    `domain` is the institution's, and makes login and words unique.
    """
    kinds = {"affiliate" if kind == "learner" else kind for kind in affiliations}
    words = kinds | {"member"} if kinds - {"affiliate"} else kinds
    return {
        "eduperson_affiliation": words,
        "eduperson_scoped_affiliation": {f"{word}@{domain}" for word in words},
        "eduperson_principal_name": f"{login}@{domain}",
        "schac_home_organization": domain,
    }


def address(home: Mapping[str, str]) -> dict[str, str]:
    """A home address, as HR's orders write it, in the words of OIDC Core, 5.1.1; nothing where nothing is known."""
    house = "-".join(home[part] for part in ("building", "flat") if part in home)
    street = ", ".join(part for part in (home.get("street"), house) if part)
    place = " ".join(home[part] for part in ("postalCode", "city") if part in home)
    lines = [line for line in (street, place, home.get("region"), home.get("country")) if line]
    told = {
        "formatted": "\n".join(lines),
        "street_address": street,
        "locality": home.get("city"),
        "region": home.get("region"),
        "postal_code": home.get("postalCode"),
        "country": home.get("country"),
    }
    return {name: value for name, value in told.items() if value}


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
