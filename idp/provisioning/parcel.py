"""What is sent to whoever is told of something, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from connectors.base import OutcomeKind, TargetError
from connectors.http import Refused, retry_after


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call: where to, what, and how its answer is read."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    refused: Refused


def refusal_by_status(answer: httpx2.Response) -> TargetError | None:
    """A success, or how to go on: what nobody takes any more is over, all else is tried again (hr-orders: 2xx ends, 410
    stops).  A redirect is no success, and not followed."""
    status = answer.status_code
    if 200 <= status < 300:
        return None
    return TargetError(STATUSES.get(status, OutcomeKind.RETRYABLE), f"HTTP {status}", retry_after(answer))


STATUSES = {
    401: OutcomeKind.AUTH,
    403: OutcomeKind.AUTH,
    410: OutcomeKind.PERMANENT,
    429: OutcomeKind.THROTTLED,
}
