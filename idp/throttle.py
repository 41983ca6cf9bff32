"""Counting what a client does wrong, over all processes where the store is shared (`limits`; Regulation 5.7).

Owns the counter.  Who counts as one client and how much it may, is decided in `policies/throttle.py`; what the answer
is, by whoever asks.
"""

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from idp.errors import Busy
from policies.throttle import ThrottleRules, allowance, client_of

WRONG_SIGN_IN = "wrong-sign-in"
PATIENCE = 2.0  # seconds for the store; a check that can't be made refuses (security.md, principle 1)


class Throttle:
    """The wrong sign-ins of each client, kept at `store`: ``memory://`` or ``redis://host:port`` (Valkey)."""

    def __init__(self, store: str) -> None:
        limits = {} if store.startswith("memory") else {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        self._limiter = MovingWindowRateLimiter(storage_from_string(store, wrap_exceptions=True, **limits))

    def is_over(self, address: str | None, rules: ThrottleRules) -> bool:
        """Whether the client at `address` has to wait; who has none is one of our own commands.  Raises `Busy`."""
        if address is None:
            return False
        item, client = _item(address, rules)
        try:
            return not self._limiter.test(item, WRONG_SIGN_IN, client)
        except StorageError as error:
            raise Busy from error

    def note(self, address: str | None, rules: ThrottleRules) -> None:
        """Count one wrong sign-in.  Raises `Busy`."""
        if address is None:
            return
        item, client = _item(address, rules)
        try:
            self._limiter.hit(item, WRONG_SIGN_IN, client)
        except StorageError as error:
            raise Busy from error


def _item(address: str, rules: ThrottleRules) -> tuple[RateLimitItemPerSecond, str]:
    client = client_of(address)
    return RateLimitItemPerSecond(allowance(client, rules), int(rules.window.total_seconds())), client
