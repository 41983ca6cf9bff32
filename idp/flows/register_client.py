"""Registering a client of the OAuth provider (RFC 6749, 2; security.md, OAuth server).

Owns what a client may be, above all which redirect URIs may be registered.  Whether a request's redirect URI is one
of them is decided in `idp/oauth/authorization_request.py`.
"""

import re
import secrets
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from idp.crypto import digest, new_token
from idp.db import db
from idp.errors import AchkychError
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Client

SCOPES = ("openid", "profile", "email")
GRANT_TYPES = ("authorization_code", "refresh_token")
KNOWN_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})
LONGEST_URI = 2_000
URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%#]+")  # RFC 3986, without the wildcard
PRIVATE_USE = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")  # reverse domain name, RFC 8252, 7.1
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749, 3.3


class BadClient(AchkychError):
    """A client that can't be registered like this; the text names every mistake, for the operator."""


def register_client(
    here: Here,
    name: str,
    redirect_uris: Iterable[str],
    system: str | None = None,
    post_logout_redirect_uris: Iterable[str] = (),
    scopes: Iterable[str] = SCOPES,
    grant_types: Iterable[str] = GRANT_TYPES,
    pkce_required: bool = True,
    public: bool = False,
) -> tuple[str, str | None]:
    """Add a client; its id, and its secret that nobody will see again (None for a public client).

    `system` is the code of the system it belongs to: only accounts with access to that get in; without one everybody
    does.  A public client is a native or browser application, which can't keep a secret.
    """
    secret = None if public else new_token()
    client = Client(
        client_id=secrets.token_hex(12),
        name=name,
        system=system,
        secret_digest=digest(secret) if secret else None,
        redirect_uris=list(redirect_uris),
        post_logout_redirect_uris=list(post_logout_redirect_uris),
        scopes=sorted(set(scopes)),
        grant_types=sorted(set(grant_types)),
        pkce_required=pkce_required,
        created_at=here.now,
    )
    if mistakes := _mistakes(client):
        raise BadClient("\n".join(mistakes))
    db.session.add(client)
    record(here, "client-registered", subject=f"client/{client.client_id}", before={}, after=_description(client))
    return client.client_id, secret


def redirect_uri_refusal(uri: str, native: bool = False) -> str | None:
    """Why `uri` can't be registered, or None when it can (RFC 6749, 3.1.2; RFC 8252, 7; RFC 9700, 2.1).

    `native` admits private-use schemes, which belong to applications on a device.
    """
    if not 1 <= len(uri) <= LONGEST_URI or not URI_CHARACTERS.fullmatch(uri):
        return "characters"
    if "#" in uri:
        return "fragment"
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError:
        return "malformed"
    return _scheme_refusal(parts, native) or _place_refusal(parts)


def _scheme_refusal(parts: SplitResult, native: bool) -> str | None:
    if parts.scheme == "https":
        return None if parts.hostname else "host"
    if parts.scheme == "http":
        return None if is_loopback(parts.hostname) else "http"
    return None if native and PRIVATE_USE.fullmatch(parts.scheme) and not parts.netloc else "scheme"


def _place_refusal(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "userinfo"
    dots = {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."}
    return "path" if dots & set(parts.path.lower().split("/")) else None


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this very machine: a loopback address, or the name for one (RFC 8252, 7.3, 8.3)."""
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _mistakes(client: Client) -> list[str]:
    native = client.secret_digest is None
    addresses = [*client.redirect_uris, *client.post_logout_redirect_uris]
    refused = [f"{uri!r}: {refusal}" for uri in addresses if (refusal := redirect_uri_refusal(uri, native))]
    unknown = [f"grant type {grant_type!r}" for grant_type in set(client.grant_types) - KNOWN_GRANT_TYPES]
    scopes = [f"scope {scope!r}" for scope in client.scopes if not SCOPE.fullmatch(scope)]
    contradictions = {
        "a client for people needs a redirect URI": "authorization_code" in client.grant_types
        and not client.redirect_uris,
        "a public client can't act for itself": native and "client_credentials" in client.grant_types,
        "a public client needs PKCE": native and not client.pkce_required,
    }
    return refused + unknown + scopes + [mistake for mistake, made in contradictions.items() if made]


def _description(client: Client) -> dict[str, object]:
    """A client as the audit trail shows it."""
    return {
        "name": client.name,
        "system": client.system,
        "public": client.secret_digest is None,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "scopes": client.scopes,
        "grant_types": client.grant_types,
        "pkce_required": client.pkce_required,
    }
