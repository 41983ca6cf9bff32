"""How a client proves itself: by exactly one method, with one answer for every failure (RFC 6749, 2.3; ASVS 10.4.10).

Authlib compares the secrets; here stands what it lets pass: two methods at once, bytes that are no text, and texts that
tell an unknown client from a wrong secret.
"""

import base64
import binascii
from collections.abc import Mapping

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

METHODS = ["client_secret_basic", "client_secret_post", "none"]


def presented_method(authorization: str | None, form: Mapping[str, str]) -> str | None:
    """The one method this request uses, None when it is none of ours.  Raises `InvalidRequestError` for two of them."""
    used = []
    if authorization is not None:
        used.append("client_secret_basic" if _basic_client(authorization) else None)
    if "client_secret" in form:
        used.append("client_secret_post")
    if "client_assertion" in form or "client_assertion_type" in form:
        used.append(None)
    if len(used) > 1:
        raise InvalidRequestError("more than one way of client authentication")
    if used == ["client_secret_basic"] and form.get("client_id") not in (None, _basic_client(authorization or "")):
        raise InvalidRequestError("two different clients are named")
    return used[0] if used else "none"


def failed() -> InvalidClientError:
    """The one answer: unknown client, wrong secret, wrong method look the same (RFC 6749, 5.2)."""
    return InvalidClientError(description="client authentication failed", status_code=401)


def _basic_client(authorization: str) -> str | None:
    """The client named in a Basic header (RFC 7617), or None when it can't be read."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, _ = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return name if colon else None
