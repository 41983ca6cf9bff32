"""An event as a Security Event Token, and its push (RFC 8417; RFC 8935; RFC 9493; OpenID SSF 1.0, CAEP 1.0, RISC 1.0).

Owns the claims of the token, the call, and the errors a receiver answers with.
"""

from contextlib import suppress

import httpx2

from connectors.base import OutcomeKind, TargetError
from idp.correspondents import Receiver
from idp.flows.here import Here
from idp.flows.signing_keys import sign
from idp.json_body import NotJson, read_json
from idp.models import EventNotice
from idp.provisioning.parcel import Parcel, refusal_by_status
from policies.events import Event

TYPE = "secevent+jwt"  # RFC 8417, 2.3
ACCEPTED = 202  # RFC 8935, 2.2: nothing else says that it was taken
ERRORS = {
    "invalid_request": OutcomeKind.PERMANENT,
    "invalid_issuer": OutcomeKind.PERMANENT,
    "invalid_audience": OutcomeKind.PERMANENT,
    "invalid_key": OutcomeKind.RETRYABLE,  # it may not have seen our newest key yet
    "authentication_failed": OutcomeKind.AUTH,
    "access_denied": OutcomeKind.AUTH,
}
"""RFC 8935, 2.4: which of them a person can mend without another token."""


def security_event(here: Here, receiver: Receiver, notice: EventNotice, sub: str) -> Parcel:
    """The push of `notice` about the account that the receiver knows as `sub`.

    Its `jti` and `iat` are those of the notice: however often it is sent, it is one event (RFC 8417, 2.2).  No `sub` and
    no `exp`, so that nobody takes it for a token of another kind (2.2, 4.6).
    """
    moment, issuer = int(notice.created_at.timestamp()), here.service.settings.base_url
    event = Event(notice.event, notice.content)
    claims = {
        "iss": issuer,
        "aud": receiver.audience,
        "iat": moment,
        "jti": str(notice.id),
        "txn": notice.txn,
        "sub_id": {"format": "iss_sub", "iss": issuer, "sub": sub},
        "events": {event.uri: {**event.claims, "event_timestamp": moment}},
    }
    headers = {"Content-Type": f"application/{TYPE}", "Accept": "application/json"}
    return Parcel(receiver.url, sign(here.service, TYPE, claims).encode(), headers, _refused)


def _refused(answer: httpx2.Response) -> TargetError | None:
    if answer.status_code == ACCEPTED:
        return None
    if answer.status_code == 400:
        name = _error(answer)
        return TargetError(ERRORS.get(name, OutcomeKind.PERMANENT), f"HTTP 400 {name}".strip())
    unclear = TargetError(OutcomeKind.RETRYABLE, f"HTTP {answer.status_code} instead of 202")
    return refusal_by_status(answer) or unclear


def _error(answer: httpx2.Response) -> str:
    """`err` of the answer, where it is one of those there are; nothing else of it is kept."""
    with suppress(NotJson):
        told = read_json(answer.content)
        if isinstance(told, dict) and isinstance(told.get("err"), str) and told["err"] in ERRORS:
            return str(told["err"])
    return ""
