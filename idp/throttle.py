"""Counting what a client does, over all processes where the store is shared (`limits`; Regulation 5.7).

Owns the counter.  Who counts as one client and how much it may, is decided in `policies/throttle.py`; what the answer
is, by whoever asks.
"""

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from idp.errors import Busy
from policies.throttle import Counted, ThrottleRules, client_of

PATIENCE = 2.0  # seconds for the store; a check that can't be made refuses (security.md, principle 1)


class Throttle:
    """What each client did of what is `Counted`, kept at `store`: ``memory://`` or ``redis://host:port`` (Valkey).

    A client is known by its address, and may do more `inside` the institution's networks; who has no address is one of
    our own commands.  All raise `Busy` when the store does not answer.
    """

    def __init__(self, store: str) -> None:
        limits = {} if store.startswith("memory") else {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        self._limiter = MovingWindowRateLimiter(storage_from_string(store, wrap_exceptions=True, **limits))

    def is_over(
        self, address: str | None, rules: ThrottleRules, inside: bool = False, counted: Counted = Counted.WRONG
    ) -> bool:
        """Whether the client at `address` has to wait."""
        if address is None:
            return False
        try:
            return not self._limiter.test(_item(rules, counted, inside), counted.value, client_of(address))
        except StorageError as error:
            raise Busy from error

    def note(
        self, address: str | None, rules: ThrottleRules, inside: bool = False, counted: Counted = Counted.WRONG
    ) -> bool:
        """Count one more; False when it was one too many, and was not counted."""
        if address is None:
            return True
        try:
            return self._limiter.hit(_item(rules, counted, inside), counted.value, client_of(address))
        except StorageError as error:
            raise Busy from error


def _item(rules: ThrottleRules, counted: Counted, inside: bool) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rules.allowance(counted, inside), int(rules.window.total_seconds()))
