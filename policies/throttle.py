"""How many wrong sign-ins one client may make before it has to wait.  Regulation 5.7.

Owns who counts as one client, and how much each may.  Bites before one client can lock many accounts, since every lock
is lifted by hand; a whole building may share one address, so the institution's own networks may do more.  Leaves alone
the counting.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

SITE = 64  # bits of an IPv6 address that one household or machine room has to itself


@dataclass(frozen=True, slots=True)
class ThrottleRules:
    """`wrong` sign-ins within `window` are answered, `wrong_inside` of a client in the institution's own networks."""

    wrong: int = 30  # at four to a lock, seven accounts
    wrong_inside: int = 600
    window: timedelta = timedelta(minutes=10)

    def allowance(self, inside: bool) -> int:
        """How many a client may make, `inside` the institution's networks or elsewhere."""
        return self.wrong_inside if inside else self.wrong


def client_of(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the site of an IPv6 one; what is no address, as proxies may tell it,
    is one client."""
    try:
        found = ip_address(address)
    except ValueError:
        return "elsewhere"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, SITE), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
