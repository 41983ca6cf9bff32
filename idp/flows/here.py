"""From where, when and by whom something is done: the first argument of every flow."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from idp.crypto import new_token
from idp.service import Service
from policies.permissions import Who


@dataclass(frozen=True, slots=True)
class Here:
    """The circumstances of an act.

    `actor` names who acts in the audit trail: ``account/<login>``, ``order/<source>/<number>``, ``worker``,
    ``command`` or ``anonymous``.  `who` holds the appointments of a signed-in person, for the permissions table.
    `device` is a random token by which the browser is known again; it opens nothing.
    """

    service: Service
    now: datetime
    actor: str
    request_id: str
    address: str | None = None
    agent: str = ""
    who: Who | None = None
    account_id: UUID | None = None
    session_id: UUID | None = None
    device: str | None = None

    def acting_as(self, actor: str) -> Self:
        """The same circumstances, recorded under another name."""
        return replace(self, actor=actor)


def at_work(service: Service, actor: str) -> Here:
    """The circumstances of a worker or a command: no browser, a fresh id to find its records by."""
    return Here(service=service, now=service.clock.now(), actor=actor, request_id=new_token()[:16])
