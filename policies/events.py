"""Which acts other systems hear of, and as which security events.  Regulation 3.7, 5.6; OpenID CAEP 1.0, RISC 1.0.

Owns the table from an act of the audit trail to event types and what they say beside whom they are about.  Leaves alone
who hears of it, and how: that is settings and `idp/flows/tell_receivers.py`.  No event carries personal data.

What other systems are not told, because there is nothing to tell: logins and university addresses never change
(RISC, identifier-changed), accounts are never deleted (account-purged).  Single sessions end by back-channel logout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"

TYPES: Mapping[str, tuple[str, str]] = {
    "account-disabled": (RISC, "account.disabled"),
    "account-enabled": (RISC, "account.enabled"),
    "recovery-activated": (RISC, "recovery.activated"),
    "recovery-information-changed": (RISC, "recovery.changed"),
    "session-revoked": (CAEP, "session.revoked"),
    "credential-change": (CAEP, "credential.changed"),
}
"""Event -> where its type stands, and what the signed webhook calls it."""

CREDENTIALS: Mapping[str, str] = {"totp": "app", "passkey": "passkey"}
"""Kind of a factor -> `credential_type` (CAEP, 3.3.1); whether a passkey leaves its device is not known here."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name in `TYPES`, and its claims beside the moment."""

    name: str
    claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The type as a SET names it."""
        return TYPES[self.name][0] + self.name

    @property
    def webhook(self) -> str:
        """The type as a signed webhook names it."""
        return TYPES[self.name][1]


def events_of(act: str, login: str, actor: str, before: Values | None, after: Values | None) -> tuple[Event, ...]:
    """The events in an `act` on the account `login`, with the values that the trail keeps; mostly none."""
    find = ACTS.get(act)
    found = find(before or {}, after or {}) if find else ()
    return tuple(
        Event(one.name, {**one.claims, "initiating_entity": _initiator(actor, login)}) if _is_caep(one) else one
        for one in found
    )


def _is_caep(event: Event) -> bool:
    return TYPES[event.name][0] == CAEP


def _initiator(actor: str, login: str) -> str:
    """Who set it going (CAEP, 2): the person, somebody in office, or the service by itself."""
    if actor == f"account/{login}":
        return "user"
    return "admin" if actor.startswith(("account/", "order/")) or actor == "command" else "system"


def _simply(name: str) -> Callable[[Values, Values], tuple[Event, ...]]:
    return lambda before, after: (Event(name),)


def _sessions(before: Values, after: Values) -> tuple[Event, ...]:
    """Only when none stays: a receiver can't tell one from another, and would end that as well."""
    return () if after.get("open") else (Event("session-revoked"),)


def _password(before: Values, after: Values) -> tuple[Event, ...]:
    return (_credential("password", "update" if before.get("password") else "create"),)


def _added(before: Values, after: Values) -> tuple[Event, ...]:
    return (_credential(CREDENTIALS[after["kind"]], "create"),)


def _removed(before: Values, after: Values) -> tuple[Event, ...]:
    return (_credential(CREDENTIALS[before["kind"]], "delete"),)


def _reset(before: Values, after: Values) -> tuple[Event, ...]:
    """An officer took them away."""
    return tuple(_credential(CREDENTIALS[kind], "revoke") for kind in sorted(set(before["kind"])))


def _recovery(before: Values, after: Values) -> tuple[Event, ...]:
    """Only when a link is on its way by which the password can be changed."""
    is_so = (after.get("forgotten"), after.get("outcome")) == ("password", "mailed")
    return (Event("recovery-activated"),) if is_so else ()


def _recovery_address(before: Values, after: Values) -> tuple[Event, ...]:
    """The personal address is where recovery goes."""
    return (Event("recovery-information-changed"),) if "personal_email" in after else ()


def _credential(kind: str, change: str) -> Event:
    return Event("credential-change", {"credential_type": kind, "change_type": change})


ACTS: Mapping[str, Callable[[Values, Values], tuple[Event, ...]]] = {
    "account-closed": _simply("account-disabled"),
    "account-reopened": _simply("account-enabled"),
    "sessions-ended": _sessions,
    "password-set": _password,
    "factor-added": _added,
    "factor-removed": _removed,
    "factors-reset": _reset,
    "recovery-asked": _recovery,
    "person-changed": _recovery_address,
}
