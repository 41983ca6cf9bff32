"""What a client may say of itself when it registers by itself.  Regulation annex; RFC 7591, 3 and 5; ASVS 10.4.7.

It gets here by an initial access token, whose scopes are the most it can have.  Owns what is then refused, and what is
set whatever it says.  Leaves alone what any client may be (`policies/registration.py`), and the token itself.
"""

from collections.abc import Mapping
from typing import Any

from policies.claims import CLAIMS
from policies.registration import HOUSE_FIELDS, IMPLICIT, MANAGE_CLIENTS, ClientMetadata, Mistake, read_metadata

GRANTS = frozenset({"authorization_code", "refresh_token", IMPLICIT})
FOR_ITSELF = "client_credentials"
ABOUT_PEOPLE = frozenset({"openid", "offline_access", *CLAIMS})


def self_registered(
    values: Mapping[str, Any], scopes: frozenset[str], current: ClientMetadata | None = None
) -> tuple[dict[str, Any], tuple[Mistake, ...]]:
    """What is registered when a client says `values`, and why it can't be.

    `scopes` are those of its initial access token; `current` is the client as it is registered, when it changes itself:
    what people have given it since stays within its reach.  It never makes itself one of the university's own, and
    never loosens what people have tightened.
    """
    scopes = (scopes - {MANAGE_CLIENTS}) | frozenset(current.scope if current else ())
    grants = GRANTS | ({FOR_ITSELF} if scopes - ABOUT_PEOPLE else set()) | set(current.grant_types if current else ())
    asked = {name: value for name, value in values.items() if name not in HOUSE_FIELDS}
    said, mistakes = read_metadata(asked)
    registration = {
        **asked,
        "scope": sorted(scopes if asked.get("scope") is None else scopes.intersection(said.scope)),
        **_of_the_house(current),
        "require_pkce": _needs_pkce(said, values) or (current is not None and current.require_pkce),
        "require_nonce": current is not None and current.require_nonce,
    }
    beyond = [grant for grant in said.grant_types if grant not in grants]
    refused = (Mistake("grant_types", f"not for clients that register themselves: {', '.join(beyond)}"),)
    return registration, mistakes or (refused if beyond else ())


def beyond_reach(before: ClientMetadata | None, after: ClientMetadata) -> tuple[Mistake, ...]:
    """What neither a page nor a program may give a client, only the command: the right to register more of them."""
    had = before is not None and MANAGE_CLIENTS in before.scope
    given = MANAGE_CLIENTS in after.scope and not had
    return (Mistake("scope", f"{MANAGE_CLIENTS} is given at the command only"),) if given else ()


def _needs_pkce(said: ClientMetadata, values: Mapping[str, Any]) -> bool:
    """A confidential web client may do without (OIDC Core knows none); whoever has no secret, or shares a device, not."""
    return said.public or said.application_type == "native" or values.get("require_pkce") is True


def _of_the_house(current: ClientMetadata | None) -> dict[str, Any]:
    """What only people set: as it is; but a client that says something new of itself is a stranger again."""
    kept = {name: getattr(current, name) for name in HOUSE_FIELDS} if current else {}
    return kept | {"first_party": False}
