"""Bringing one account in one target to the wanted state: find, plan, act, read back.  Written once for all connectors.

Knows no database.  Every try begins by finding what is there, so repeating it is harmless; success of a call is not
success: done is only what was read back (connector contract, rules 1 and 3).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from connectors.base import Connector, Correlation, OutcomeKind, Remote, TargetError, Wanted
from connectors.plan import Plan, drift, plan, values


@dataclass(frozen=True, slots=True)
class Brought:
    """What was planned, and what was read back afterwards (None: the account is not there, and need not be)."""

    plan: Plan
    remote: Remote | None

    def as_json(self) -> dict[str, Any]:
        """What the execution sheet shows as read back."""
        if self.remote is None:
            return {"there": False, "active": False}
        return {"id": self.remote.id, "active": self.remote.active} | dict(self.remote.attributes)


def bring(
    connector: Connector, wanted: Wanted, key: Correlation, op: str, pause: Callable[[float], None] = time.sleep
) -> Brought:
    """Make the target look as wanted.  Raises `TargetError` when it does not, or does not yet."""
    seen = connector.find(key)
    intended = plan(wanted, seen, connector.capabilities)
    if intended.act == "nothing":
        return Brought(intended, seen)
    acted_on = _act(connector, wanted, seen, intended, op)
    pause(connector.capabilities.settle_seconds)
    seen = connector.find(replace(key, remote_id=acted_on))
    left = drift(wanted, seen, connector.capabilities)
    if left:
        raise TargetError(OutcomeKind.RETRYABLE, f"read back differs in {', '.join(sorted(left))}")
    return Brought(intended, seen)


def _act(connector: Connector, wanted: Wanted, seen: Remote | None, intended: Plan, op: str) -> str:
    """One write; the remote id of what was written."""
    if seen is None:
        return connector.create(wanted, op).id
    connector.update(seen.id, values(intended.changes), op)
    if not wanted.active and connector.capabilities.end_sessions:
        connector.end_sessions(seen.id)
    return seen.id
