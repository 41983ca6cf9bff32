"""Where the provider meets the sign-in pages: requests that wait, and the facts about them.

The pages carry the token of a waiting request and nothing of its contents.  What the next step is, is decided by
`policies/interaction.py` from the facts given here; how a request ends stands in `finish.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp import models
from idp.crypto import digest, new_token
from idp.db import db
from idp.flows.here import Here
from idp.flows.sessions import LiveSession
from idp.models import Client
from idp.oauth.answer import origin_of
from idp.oauth.authorization_request import AuthorizationRequest, from_plain, is_registered, to_plain
from idp.oauth.claims_request import wanted_values
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.consent import consent_given_at
from idp.oauth.id_token import read_hint
from idp.oauth.people import sub_of
from idp.oauth.subject import subject_for
from idp.prepared import Prepared
from policies.agreement import missing
from policies.factors import required as factor_required
from policies.interaction import Facts

PATIENCE = timedelta(hours=1)  # how long a request waits for its person
LOGIN = frozenset({"login"})


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A valid request of a client that is still registered; `id` names its row, None while it was never put aside.

    `chosen` is the account the person chose for it, if they were asked; `pushed` the row it was pushed under, if it was.
    """

    id: UUID | None
    client: RegisteredClient
    request: AuthorizationRequest
    requested_at: datetime
    chosen: str | None = None
    pushed: UUID | None = None

    @property
    def decisive(self) -> UUID | None:
        """The row whose taking decides who answers: tabs that visit one pushed request share it (RFC 9126, 7.3)."""
        return self.pushed or self.id

    @property
    def client_name(self) -> str:
        """What people know the client by."""
        return self.client.name

    @property
    def redirect_uri(self) -> str:
        """Where the answer goes; registered by the client."""
        return self.request.redirect_uri

    @property
    def prompt(self) -> frozenset[str]:
        """What the client asks of the pages; a `max_age` of 0 asks for a sign-in (OIDC Core, 3.1.2.1)."""
        return self.request.prompt | LOGIN if self.request.max_age == 0 else self.request.prompt

    @property
    def origin(self) -> str:
        """Scheme and host the answer goes to, as a Content-Security-Policy names them."""
        return origin_of(self.request.redirect_uri)


WAITING = Prepared(
    sa.select(
        models.AuthorizationRequest.id,
        models.AuthorizationRequest.parameters,
        models.AuthorizationRequest.requested_at,
        Client.client_id,
    )
    .join(Client, Client.id == models.AuthorizationRequest.client_id)
    .where(
        models.AuthorizationRequest.token_digest == sa.bindparam("digest"),
        models.AuthorizationRequest.expires_at > sa.bindparam("now"),
    )
)
KEEP = Prepared.insert(models.AuthorizationRequest)


def put_aside(now: datetime, pending: PendingRequest) -> str:
    """Keep a request while its person signs in; the answer is the token the pages carry."""
    pushed = {"pushed_under": str(pending.pushed)} if pending.pushed else {}
    return keep(now, pending.client, {"authorization": to_plain(pending.request), **pushed})


def keep(now: datetime, client: RegisteredClient, parameters: dict[str, Any], patience: timedelta = PATIENCE) -> str:
    """Keep something of a client's for an hour, under a token; the worker clears away what has run out."""
    token = new_token()
    KEEP.all(
        id=uuid7(),
        token_digest=digest(token),
        client_id=client.id,
        parameters=parameters,
        requested_at=now,
        expires_at=now + patience,
    )
    return token


def kept(token: str, now: datetime) -> Any:
    """The row kept under a token, with its client's name for itself, or None."""
    return WAITING.first(digest=digest(token), now=now)


def recall(token: str, now: datetime) -> PendingRequest | None:
    """The request that waits under `token`; None when it ran out, was answered, or would not be accepted any more."""
    row = kept(token, now)
    client = find_client(row.client_id) if row else None
    if client is None or "authorization" not in row.parameters:
        return None
    request = from_plain(row.parameters["authorization"])
    if not is_registered(request.redirect_uri, client):
        return None
    pushed = row.parameters.get("pushed_under")
    chosen = row.parameters.get("chosen")
    return PendingRequest(row.id, client, request, row.requested_at, chosen, UUID(pushed) if pushed else None)


def choose_account(pending: PendingRequest, account_id: UUID) -> bool:
    """Note that the person wants to use this account for the request that waits (OIDC Core, 3.1.2.1); False when it
    was answered meanwhile."""
    row = db.session.get(models.AuthorizationRequest, pending.id, with_for_update=True)
    if row is None:
        return False
    row.parameters = {**row.parameters, "chosen": str(account_id)}
    return True


def facts_for(pending: PendingRequest | None, session: LiveSession | None, here: Here) -> Facts:
    """What the next step is decided by.  A session is live only while its account is open (`flows/sessions.py`)."""
    profile = here.service.profile
    request, system = (pending.request, pending.client.system) if pending else (None, None)
    return Facts(
        signed_in=session is not None,
        account_open=session is not None,
        must_change_password=False,
        agreement_accepted=session is None or not missing(profile.in_force, session.kinds, session.accepted),
        client_allowed=session is None or system is None or system in session.systems,
        is_expected=pending is None or session is None or _is_expected(here, pending, session),
        amr=frozenset(session.amr if session else ()),
        has_factor=session is not None and session.has_factor,
        factor_required=session is not None and _must_have_factor(here, session),
        acr_needed=_acr_needed(request) if request else frozenset(),
        consent_given_at=consent_given_at(pending.client, request, session) if pending and request else None,
        consent_needed=pending is not None and not pending.client.metadata.first_party,
        account_chosen=pending is not None and session is not None and pending.chosen == str(session.account_id),
        prompt=pending.prompt if pending else frozenset(),
        authenticated_at=session.authenticated_at if session else None,
        max_age=request.max_age if request else None,
        requested_at=pending.requested_at if pending else here.now,
    )


def _is_expected(here: Here, pending: PendingRequest, session: LiveSession) -> bool:
    """Whether the signed-in account is the one the client named, by a hint or a claim (OIDC Core, 3.1.2.1, 5.5.1)."""
    hint, (subjects, _) = pending.request.id_token_hint, wanted_values(pending.request.claims, "id_token", "sub")
    if hint is None and not subjects:
        return True
    sub = subject_for(here.service, pending.client, sub_of(session.account_id))
    hinted = read_hint(here.service, hint) if hint else None
    return (hint is None or (hinted or {}).get("sub") == sub) and (not subjects or sub in subjects)


def _must_have_factor(here: Here, session: LiveSession) -> bool:
    return factor_required(session.appointments, here.service.profile.rules.factors, here.now)


def _acr_needed(request: AuthorizationRequest) -> frozenset[str]:
    """Only an essential claim must be met; `acr_values` is a wish (OIDC Core, 5.5.1.1)."""
    values, essential = wanted_values(request.claims, "id_token", "acr")
    return frozenset(values) if essential else frozenset()
