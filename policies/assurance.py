"""How sure we are of a person, from how they proved themselves.  Regulation 5.4; OIDC Core, 2; RFC 8176; REFEDS.

Owns the names and their order.  Leaves alone how a factor is checked.
"""

from collections.abc import Collection, Iterable

SINGLE_FACTOR = "https://refeds.org/profile/sfa"
MULTI_FACTOR = "https://refeds.org/profile/mfa"
ACR_VALUES = (SINGLE_FACTOR, MULTI_FACTOR)  # the weaker first
PASSWORD = ("pwd",)
BEST = ("pwd", "otp", "mfa")  # a password and a one-time code (RFC 8176); nothing here is stronger
WITH_PASSKEY = ("pwd", "pop", "mfa")  # a password and a passkey
BY_PASSKEY = ("pop", "user", "mfa")  # a passkey whose device made sure of the person


def acr_of(amr: Collection[str]) -> str:
    """The class that these methods reach."""
    return MULTI_FACTOR if "mfa" in amr else SINGLE_FACTOR


def satisfies(amr: Collection[str], wanted: Iterable[str]) -> bool:
    """Whether these methods reach one of the classes that are wanted; a stronger one is as good as a weaker."""
    reached = ACR_VALUES[: ACR_VALUES.index(acr_of(amr)) + 1]
    return bool(set(reached).intersection(wanted))
