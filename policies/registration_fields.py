"""How one field of a client's metadata is read, by its kind.  Regulation annex (systems); RFC 7591, 2; RFC 6749, 3.3.

A reader gives back the value as it is kept, and what is wrong with it, in words of the protocol.  Which field is of
which kind is for `policies/registration.py`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from policies.redirect_uris import redirect_uri_refusal, web_address_refusal

LONGEST_NAME = 200
LONGEST_LIST = 50
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749, 3.3
TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

Reader = Callable[[Any], tuple[Any, str | None]]


def text(value: Any) -> tuple[Any, str | None]:
    """One line for people."""
    fits = isinstance(value, str) and len(value) <= LONGEST_NAME and TEXT.fullmatch(value)
    return value, None if fits else f"must be a text of at most {LONGEST_NAME} characters"


def flag(value: Any) -> tuple[Any, str | None]:
    """True or false, as JSON has them."""
    return value, None if isinstance(value, bool) else "must be true or false"


def seconds(value: Any) -> tuple[Any, str | None]:
    """A whole number of seconds, zero included."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    return value, None if fits else "must be a number of seconds"


def document(value: Any) -> tuple[Any, str | None]:
    """A JSON object; what is in it, others check."""
    return value, None if isinstance(value, Mapping) else "must be a JSON object"


def address(value: Any) -> tuple[Any, str | None]:
    """A web address (`policies/redirect_uris.py`), without a fragment."""
    return value, _unusable(redirect_uri_refusal(value) if isinstance(value, str) else "characters")


def address_of_object(value: Any) -> tuple[Any, str | None]:
    """The address of a request object; its fragment may be the object's hash (OIDC Core, 6.2)."""
    return value, _unusable(web_address_refusal(value) if isinstance(value, str) else "characters")


def _unusable(refusal: str | None) -> str | None:
    return f"is no address that can be used ({refusal})" if refusal else None


def one_of(*known: str) -> Reader:
    """Exactly one of the values `known`."""
    return lambda value: (value, None if value in known else f"must be one of: {', '.join(known)}")


def list_of(reader: Reader) -> Reader:
    """A list of what `reader` reads, each entry once."""

    def read(value: Any) -> tuple[Any, str | None]:
        if not isinstance(value, list | tuple) or len(value) > LONGEST_LIST:
            return value, f"must be a list of at most {LONGEST_LIST} entries"
        reasons = [reason for item in value if (reason := reader(item)[1])]
        return tuple(dict.fromkeys(value)) if not reasons else value, reasons[0] if reasons else None

    return read


def scopes(value: Any) -> tuple[Any, str | None]:
    """Scopes separated by blanks, or as a list; sorted."""
    words = value.split() if isinstance(value, str) else value
    listed = isinstance(words, list | tuple) and len(words) <= LONGEST_LIST
    fits = listed and all(isinstance(word, str) and SCOPE.fullmatch(word) for word in words)
    return tuple(sorted(set(words))) if fits else value, None if fits else "must be scopes, separated by blanks"


def any_text(value: Any) -> tuple[Any, str | None]:
    """Checked later, where it is known whether the application is native."""
    return value, None if isinstance(value, str) else "must be a text"
