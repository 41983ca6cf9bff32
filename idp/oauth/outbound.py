"""Calls to addresses that clients name: their keys, their sector, their request objects, their logout notices; and to
those that the settings name for security events and callbacks.

The one way out beside the connectors (security.md, outbound).  Such an address is somebody else's word, so it must not lead
into our own network: the name is resolved here, every address of it is checked, and the connection goes to exactly the
address that was checked.  Time, size, TLS and redirects are bounded by the client of the connectors.
"""

import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple, Self
from urllib.parse import SplitResult, urlsplit

import httpx2

from connectors.base import OutcomeKind, TargetError
from connectors.http import Refused, client
from idp.errors import AchkychError
from idp.service import Service
from policies.redirect_uris import web_address_refusal

SECONDS = 5.0  # for one call, looking up the name included
SHORTEST = 0.2  # seconds that an address is given at least
LONGEST_ANSWER = 65_536  # bytes
MOST_ADDRESSES = 3  # of one name that are tried
NO_CONNECTION = "no connection"  # how connectors/http.py says it
PORTS = {"https": 443, "http": 80}
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1: the last 32 bits are an IPv4 address

Address = IPv4Address | IPv6Address

_resolvers = ThreadPoolExecutor(4, "resolver")  # the system's resolver knows no time limit; one that hangs, hangs there


@dataclass
class Unreachable(AchkychError):
    """The address can't be called, or did not answer as it should; `reason` is for the log.

    `outcome` as `policies/retry.py` knows them; `retry_after`: seconds, as it asked.
    """

    reason: str
    outcome: str = OutcomeKind.RETRYABLE.value
    retry_after: float | None = None


class _Way(NamedTuple):
    """Where a call goes: the parts of its URL, and the addresses it may be sent to."""

    parts: SplitResult
    addresses: list[Address]

    @classmethod
    def to(cls, service: Service, url: str) -> Self:
        """The way to `url`.  Raises `Unreachable`."""
        if refusal := web_address_refusal(url):
            raise Unreachable(f"no address that can be called ({refusal})")
        parts = urlsplit(url)
        addresses = _resolve(parts.hostname or "", parts.port or PORTS[parts.scheme])
        if not all(_is_allowed(service, address) for address in addresses):
            raise Unreachable("the name leads into a network that is not open to clients")
        return cls(parts, addresses[:MOST_ADDRESSES])


def fetch(service: Service, url: str, accept: str) -> bytes:
    """The document at `url`, a client's; `accept` is the media type to ask for.  Raises `Unreachable`."""
    return _call(service, url, {"Accept": accept}, lambda session, target, pinned: session.get(target, **pinned))


def post(service: Service, url: str, form: Mapping[str, str]) -> None:
    """Tell `url`, a client's, the fields of `form`; it has to answer with a 2xx.  Raises `Unreachable`."""
    _call(service, url, {}, lambda session, target, pinned: session.post(target, data=form, **pinned))


def send(service: Service, url: str, body: bytes, headers: Mapping[str, str], refused: Refused) -> None:
    """Send `body` to `url`; `refused` reads the answer.  Raises `Unreachable`."""
    _call(service, url, dict(headers), lambda session, target, pinned: session.post(target, content=body, **pinned),
          refused)  # fmt: skip


Send = Callable[[httpx2.Client, str, dict[str, Any]], httpx2.Response]


def _call(service: Service, url: str, headers: dict[str, str], send: Send, refused: Refused | None = None) -> bytes:
    """What `send` gets; where nothing listens at one address of the name, the next one is asked."""
    end = time.monotonic() + SECONDS
    way = _Way.to(service, url)
    failure = Unreachable("")
    for address in way.addresses:
        try:
            return _ask(way.parts, address, headers, send, max(end - time.monotonic(), SHORTEST), refused)
        except TargetError as error:
            failure = Unreachable(error.detail, error.kind.value, error.retry_after)
            if failure.reason != NO_CONNECTION:
                break
    raise failure


def _ask(
    parts: SplitResult, address: Address, headers: dict[str, str], send: Send, seconds: float, refused: Refused | None
) -> bytes:
    """The answer of one address: called by its number, so that no second look-up can lead elsewhere; TLS and the
    server itself are told the name."""
    host = f"[{address}]" if address.version == 6 else str(address)
    base = f"{parts.scheme}://{host}:{parts.port or PORTS[parts.scheme]}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pinned = {"headers": {"Host": parts.netloc, **headers}, "extensions": {"sni_hostname": parts.hostname}}
    with client(base, seconds=seconds, max_bytes=LONGEST_ANSWER, refused=refused) as session:
        return send(session, base + target, pinned).content


def _resolve(host: str, port: int) -> list[Address]:
    """All addresses of a name.  Raises `Unreachable`."""
    try:
        found = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(SECONDS)
    except (OSError, UnicodeError, TimeoutError):
        raise Unreachable("the name is not known") from None
    return list(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


def _is_allowed(service: Service, address: Address) -> bool:
    """Public addresses; in production no others than the settings name (security.md: after resolution)."""
    if service.settings.environment == "development":
        return True
    meant = _meant(address)
    opened = [ip_network(network) for network in service.settings.client_networks]
    return _is_public(meant) or any(meant in network for network in opened)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _meant(address: Address) -> Address:
    """The IPv4 address that stands inside an IPv6 one, as routers will read it; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour
    if inside is None and address in NAT64:
        inside = IPv4Address(int(address) & 0xFFFFFFFF)
    return inside or address
