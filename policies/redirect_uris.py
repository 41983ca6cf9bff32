"""Which addresses the client of a system may register.  Regulation annex; RFC 6749, 3.1.2; RFC 8252, 7; RFC 9700, 2.1.

Owns the form of an address.  Whether a request's redirect URI is a registered one is decided in
`idp/oauth/authorization_request.py`.
"""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

LONGEST_URI = 2_000
URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%#]+")  # RFC 3986, without the wildcard
LABEL = r"[A-Za-z0-9\-]{1,63}"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*")  # what a browser and we take for the same host, whoever parses it
BRACKETED = re.compile(r"\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
PRIVATE_USE = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")  # reverse domain name, RFC 8252, 7.1


def redirect_uri_refusal(uri: str, native: bool = False) -> str | None:
    """Why `uri` can't be registered, or None when it can (RFC 6749, 3.1.2; RFC 8252, 7; RFC 9700, 2.1).

    `native` admits private-use schemes, which belong to applications on a device.
    """
    if "#" in uri:
        return "fragment"
    return web_address_refusal(uri, native)


def web_address_refusal(uri: str, native: bool = False) -> str | None:
    """Why `uri` is no address of a client's: https, or http on loopback, a plain host, no user, no path that climbs."""
    if not 1 <= len(uri) <= LONGEST_URI or not URI_CHARACTERS.fullmatch(uri):
        return "characters"
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # reading it is what checks it
        if "[" in parts.netloc:
            ip_address(parts.hostname or "")
    except ValueError:
        return "malformed"
    return _scheme_refusal(parts, native) or _place_refusal(parts)


def _scheme_refusal(parts: SplitResult, native: bool) -> str | None:
    if parts.scheme == "https":
        return None if _is_host(parts) else "host"
    if parts.scheme == "http":
        return None if _is_host(parts) and is_loopback(parts.hostname) else "http"
    return None if native and PRIVATE_USE.fullmatch(parts.scheme) and not parts.netloc else "scheme"


def _place_refusal(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "userinfo"
    dots = {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."}
    return "path" if dots & set(parts.path.lower().split("/")) else None


def _is_host(parts: SplitResult) -> bool:
    """An address in brackets, without a zone and alone, or labels and dots."""
    if "[" in parts.netloc:
        return BRACKETED.fullmatch(parts.netloc) is not None
    return HOST.fullmatch(parts.hostname or "") is not None


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this very machine: a loopback address, or the name for one (RFC 8252, 7.3, 8.3)."""
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
