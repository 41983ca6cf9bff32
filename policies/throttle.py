"""How much one client may do before it has to wait.  Regulation 5.7.

Owns who counts as one client, and how much each may.  Bites before one client can lock many accounts, since every lock
is lifted by hand; a whole building may share one address, so the institution's own networks may do more.  Leaves alone
the counting.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from ipaddress import IPv6Address, ip_address, ip_network

SITE = 64  # bits of an IPv6 address that one household or machine room has to itself


class Counted(Enum):
    """What is counted, each for itself."""

    WRONG = "wrong-sign-in"  # of whatever login, and questions about forgotten ones
    REQUEST = "request"  # leaves something behind with us, and nobody has signed in


@dataclass(frozen=True, slots=True)
class ThrottleRules:
    """`wrong` sign-ins and `requests` of nobody within `window` are answered; so many more of a client `inside` the
    institution's own networks."""

    wrong: int = 30  # at four to a lock, seven accounts
    wrong_inside: int = 600
    requests: int = 2_000  # a mobile network's many customers may share one address
    requests_inside: int = 20_000
    window: timedelta = timedelta(minutes=10)

    def allowance(self, counted: Counted, inside: bool) -> int:
        """How many a client may make, `inside` the institution's networks or elsewhere."""
        if counted is Counted.REQUEST:
            return self.requests_inside if inside else self.requests
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
