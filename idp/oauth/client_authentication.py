"""How a client proves itself: by exactly one method, the one it registered, with one answer for every failure (RFC 6749,
2.3; RFC 7521, 4.2; RFC 8705, 2; ASVS 10.4.10).

Authlib's own way is not used: it lets two methods at once pass, and tells an unknown client from a wrong secret.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from urllib.parse import unquote_plus, urlsplit

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from idp.flows.here import Here
from idp.log import log
from idp.oauth.client_assertion import ASSERTION_TYPE, client_of, proves_by_assertion
from idp.oauth.client_certificate import Headers, handed_on, proves_by_key, proves_by_name
from idp.oauth.clients import CLIENT_ID, RegisteredClient, find_client
from policies.registration import AUTH_METHODS, BY_CERTIFICATE, BY_SECRET

METHODS = AUTH_METHODS
CONFIDENTIAL = tuple(method for method in METHODS if method != "none")
BY_ASSERTION = ("private_key_jwt", "client_secret_jwt")


class Brought(NamedTuple):
    """What a request brings: the methods it can be meant for, the client it names, the secret or document of it."""

    methods: tuple[str, ...]
    client_id: str | None
    proof: str


NOTHING_OF_USE = Brought((), None, "")


def authenticate(
    here: Here,
    headers: Headers,
    form: Mapping[str, str],
    url: str,
    methods: Collection[str],
    before: Callable[[RegisteredClient], None] = lambda client: None,
) -> RegisteredClient:
    """The client that sent this to `url`, proven by one of `methods`; `before` is asked before its proof is spent.

    Raises `InvalidClientError`, or `InvalidRequestError` where two methods or two clients are named.
    """
    authorization = headers.get("Authorization")
    brought = _brought(here, authorization, headers, form)
    client = find_client(brought.client_id)
    method = client.metadata.token_endpoint_auth_method if client else ""
    if client is None or method not in brought.methods or method not in methods:
        raise _failed(brought, client, url, authorization)
    before(client)
    if not PROVES[method](here, client, brought.proof, url):
        raise _failed(brought, client, url, authorization)
    return client


def _failed(
    brought: Brought, client: RegisteredClient | None, url: str, authorization: str | None
) -> InvalidClientError:
    """The one answer: unknown client, wrong secret, wrong method look the same (RFC 6749, 5.2).  The log tells more."""
    name = client.client_id if client else _shortened(brought.client_id)
    log.warning("client refused", client=name, method=" ".join(brought.methods), endpoint=urlsplit(url).path)
    return NotProven(authorization)


def _shortened(claimed: str | None) -> str | None:
    """The beginning of a name nobody has, for the log: it may be a secret in the wrong field."""
    return f"{claimed[:8]}…" if claimed and CLIENT_ID.fullmatch(claimed) else None


class NotProven(InvalidClientError):  # type: ignore[misc]  # Authlib has no types
    """Asks for Basic only where the header was tried: others have no use for it (RFC 6749, 5.2)."""

    def __init__(self, authorization: str | None) -> None:
        super().__init__(description="client authentication failed", status_code=401)
        self._by_header = authorization is not None

    def get_headers(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = super().get_headers()
        return found if self._by_header else [header for header in found if header[0] != "WWW-Authenticate"]


def _brought(here: Here, authorization: str | None, headers: Headers, form: Mapping[str, str]) -> Brought:
    """The one way this request takes.  Raises `InvalidRequestError` for two of them, or two clients."""
    found = []
    if authorization is not None:
        found.append(_in_header(authorization))
    if "client_secret" in form:
        found.append(Brought(BY_SECRET, form.get("client_id"), form["client_secret"]))
    if "client_assertion" in form or "client_assertion_type" in form:
        found.append(_in_assertion(form))
    if not found:
        return Brought(("none", *BY_CERTIFICATE), form.get("client_id"), handed_on(here.service, headers) or "")
    if len(found) > 1:
        raise InvalidRequestError("more than one way of client authentication")
    if found[0].client_id is not None and form.get("client_id", found[0].client_id) != found[0].client_id:
        raise InvalidRequestError("two different clients are named")
    return found[0]


def _in_header(authorization: str) -> Brought:
    """Basic (RFC 7617), whose parts are escaped as in a form (RFC 6749, 2.3.1).

    Header and body carry the same secret, so whoever registered one of the two may use the other.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return NOTHING_OF_USE
    try:
        name, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return NOTHING_OF_USE
    return Brought(BY_SECRET, unquote_plus(name), unquote_plus(secret)) if colon else NOTHING_OF_USE


def _in_assertion(form: Mapping[str, str]) -> Brought:
    """RFC 7521, 4.2: the type is exact, and the client may name itself a second time."""
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        return NOTHING_OF_USE
    return Brought(BY_ASSERTION, client_of(assertion), assertion)


def _by_secret(_here: Here, client: RegisteredClient, secret: str, _url: str) -> bool:
    return client.check_client_secret(secret)


def _not_at_all(_here: Here, _client: RegisteredClient, _proof: str, _url: str) -> bool:
    return True  # a public client only says who it is (RFC 6749, 2.1)


Proves = Callable[[Here, RegisteredClient, str, str], bool]
PROVES: dict[str, Proves] = {
    "client_secret_basic": _by_secret,
    "client_secret_post": _by_secret,
    "client_secret_jwt": proves_by_assertion,
    "private_key_jwt": proves_by_assertion,
    "tls_client_auth": proves_by_name,
    "self_signed_tls_client_auth": proves_by_key,
    "none": _not_at_all,
}
