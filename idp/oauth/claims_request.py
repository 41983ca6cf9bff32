"""The `claims` parameter: single claims a client asks for (OIDC Core, 5.5).

Owns reading it.  Which claims a client may have at all is decided in `policies/claims.py`.
"""

from collections.abc import Mapping
from typing import Any

from idp.json_body import NotJson, read_object

PLACES = ("userinfo", "id_token")
MOST = 100  # claims asked for in one place


def read_claims(text: str | None) -> dict[str, dict[str, Any]] | None:
    """What is asked for in each place, by claim; empty when nothing is.  None when it is no claims request.

    Of each claim only `essential`, `value` and `values` are kept; what else is asked for is not understood (5.5).
    """
    if text is None:
        return {}
    try:
        asked = read_object(text.encode())
    except NotJson:
        return None
    if not all(_is_place(asked.get(place)) for place in PLACES):
        return None
    return {place: {name: _plain(wish) for name, wish in asked[place].items()} for place in PLACES if asked.get(place)}


def wanted_values(claims: Mapping[str, Any], place: str, name: str) -> tuple[tuple[str, ...], bool]:
    """The values one of which a claim must have, and whether it must (5.5.1)."""
    wish = (claims.get(place) or {}).get(name) or {}
    several = wish.get("values")
    values = several if isinstance(several, list) else [wish.get("value")]
    return tuple(value for value in values if isinstance(value, str)), wish.get("essential") is True


def _is_place(wishes: Any) -> bool:
    if wishes is None:
        return True
    return (
        isinstance(wishes, dict)
        and len(wishes) <= MOST
        and all(wish is None or isinstance(wish, dict) for wish in wishes.values())
    )


def _plain(wish: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (wish or {}).items() if name in ("essential", "value", "values")}
