"""Where the provider meets the sign-in pages: requests that wait, the facts about them, and their end.

The pages carry the token of a waiting request and nothing of its contents.  What the next step is, is decided by
`policies/interaction.py` from the facts given here.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp import models
from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.flows.accept_agreement import agreement_accepted
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.sessions import LiveSession
from idp.models import Account, AuthorizationCode, Client, Grant
from idp.oauth.answer import code_url, error_url
from idp.oauth.authorization_request import AuthorizationRequest, is_registered
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.errors import OAuthError
from idp.oauth.standing import has_access
from policies.interaction import Facts

PATIENCE = timedelta(hours=1)  # how long a request waits for its person
LOGIN = frozenset({"login"})


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A valid request of a client that is still registered; `id` names its row, None while it was never put aside."""

    id: UUID | None
    client: RegisteredClient
    request: AuthorizationRequest
    requested_at: datetime

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
    def max_age(self) -> int | None:
        """How many seconds ago the person may have signed in at most."""
        return self.request.max_age

    @property
    def origin(self) -> str:
        """Scheme and host the answer goes to, as a Content-Security-Policy names them."""
        address = urlsplit(self.request.redirect_uri)
        return f"{address.scheme}://{address.netloc}" if address.netloc else f"{address.scheme}:"


WAITING = sa.select(
    models.AuthorizationRequest.id,
    models.AuthorizationRequest.parameters,
    models.AuthorizationRequest.requested_at,
    Client.client_id,
).join(Client, Client.id == models.AuthorizationRequest.client_id).where(
    models.AuthorizationRequest.token_digest == sa.bindparam("digest"),
    models.AuthorizationRequest.expires_at > sa.bindparam("now"),
)  # fmt: skip
# on the tables themselves: an ORM insert costs half a millisecond more, and every sign-in passes here
STORE_GRANT = sa.insert(Grant.__table__)  # type: ignore[arg-type]  # a mapped class's table is a Table
STORE_CODE = sa.insert(AuthorizationCode.__table__)  # type: ignore[arg-type]


def put_aside(now: datetime, pending: PendingRequest) -> str:
    """Keep a request while its person signs in; the answer is the token the pages carry."""
    return keep(now, pending.client, {"authorization": _to_plain(pending.request)})


def keep(now: datetime, client: RegisteredClient, parameters: dict[str, Any]) -> str:
    """Keep something of a client's for an hour, under a token; what has run out goes at the same time."""
    table = models.AuthorizationRequest
    token = new_token()
    db.session.execute(sa.delete(table).where(table.expires_at <= now).execution_options(synchronize_session=False))
    db.session.add(
        table(
            token_digest=digest(token),
            client_id=client.id,
            parameters=parameters,
            requested_at=now,
            expires_at=now + PATIENCE,
        )
    )
    return token


def kept(token: str, now: datetime) -> Any:
    """The row kept under a token, with its client's name for itself, or None."""
    with reader().connect() as connection:
        return connection.execute(WAITING, {"digest": digest(token), "now": now}).one_or_none()


def recall(token: str, now: datetime) -> PendingRequest | None:
    """The request that waits under `token`; None when it ran out, was answered, or would not be accepted any more."""
    row = kept(token, now)
    client = find_client(row.client_id) if row else None
    if client is None or "authorization" not in row.parameters:
        return None
    request = _from_plain(row.parameters["authorization"])
    if not is_registered(request.redirect_uri, client):
        return None
    return PendingRequest(row.id, client, request, row.requested_at)


def facts_for(pending: PendingRequest | None, session: LiveSession | None, here: Here) -> Facts:
    """What the next step is decided by.  A session is live only while its account is open (`flows/sessions.py`)."""
    return Facts(
        signed_in=session is not None,
        account_open=session is not None,
        must_change_password=False,
        agreement_accepted=session is not None and agreement_accepted(here, session.account_id),
        client_allowed=pending is None or session is None or has_access(session.account_id, pending.client.system),
        prompt=pending.prompt if pending else frozenset(),
        authenticated_at=session.authenticated_at if session else None,
        max_age=pending.max_age if pending else None,
        requested_at=pending.requested_at if pending else here.now,
    )


def finish(here: Here, pending: PendingRequest, session: LiveSession) -> str:
    """Grant the client its sign-in; the URL that takes the code there.  A waiting request is answered once."""
    request, grant_id = pending.request, uuid7()
    db.session.execute(
        STORE_GRANT,
        {
            "id": grant_id,
            "account_id": session.account_id,
            "client_id": pending.client.id,
            "session_id": session.id,
            "scope": " ".join(request.scope),
            "granted_at": here.now,
        },
    )
    code = _issue_code(here, request, grant_id, session.authenticated_at)
    _answered(pending)
    after = {"client": pending.client.client_id, "scope": list(request.scope)}
    account = db.session.get(Account, session.account_id)
    record(here, "signed-in-to-client", account, subject=f"client/{pending.client.client_id}", before={}, after=after)
    return code_url(here.service, request.redirect_uri, request.state, code)


def deny(here: Here, pending: PendingRequest, error: str, description: str) -> str:
    """Refuse the client; the URL that takes the refusal there.  `error` is a registered code (RFC 6749, 4.1.2.1)."""
    _answered(pending)
    return error_url(here.service, pending.request.redirect_uri, pending.request.state, OAuthError(error, description))


def _issue_code(here: Here, request: AuthorizationRequest, grant_id: UUID, authenticated_at: datetime) -> str:
    code = new_token()
    db.session.execute(
        STORE_CODE,
        {
            "id": uuid7(),
            "grant_id": grant_id,
            "code_digest": digest(code),
            "redirect_uri": request.redirect_uri,
            "redirect_uri_given": request.redirect_uri_given,
            "nonce": request.nonce,
            "code_challenge": request.code_challenge,
            "authenticated_at": authenticated_at,
            "issued_at": here.now,
            "expires_at": here.now + here.service.profile.rules.tokens.code,
        },
    )
    return code


def _answered(pending: PendingRequest) -> None:
    if pending.id is not None:
        table = models.AuthorizationRequest
        which = sa.delete(table).where(table.id == pending.id)
        db.session.execute(which.execution_options(synchronize_session=False))


def _to_plain(request: AuthorizationRequest) -> dict[str, Any]:
    plain = asdict(request)
    plain["prompt"] = sorted(request.prompt)
    return plain


def _from_plain(plain: dict[str, Any]) -> AuthorizationRequest:
    lists = {"scope": tuple(plain["scope"]), "ui_locales": tuple(plain["ui_locales"])}
    return AuthorizationRequest(**{**plain, **lists, "prompt": frozenset(plain["prompt"])})
