"""What a person does with the code on their device (RFC 8628, 3.3): find the request, then allow or deny it.

A code is short, so each one typed is counted before it is looked up, for the account that types it, by one statement
of its own (5.1).  Allowing and denying are one statement as well: of two browsers one decides.  Where the page stands
in a sign-in, and how it looks, is for `idp/web/signin/device_link.py`.
"""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db, insert, reader
from idp.flows.give_consent import Asked, give_consent
from idp.flows.here import Here
from idp.flows.record import chain, note, record
from idp.flows.refusal import Refusal
from idp.flows.sessions import LiveSession
from idp.models import Client, DeviceCode, DeviceGuesses
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.new_grant import store_grant
from idp.service import Service
from policies.device_codes import RULES, may_guess, read_user_code


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A device's request that nobody decided about yet."""

    id: UUID
    client: RegisteredClient
    scope: tuple[str, ...]
    resources: tuple[str, ...]


CODES = cast(sa.Table, DeviceCode.__table__)
GUESSES = cast(sa.Table, DeviceGuesses.__table__)
UNDECIDED = (
    CODES.c.grant_id.is_(None),
    CODES.c.denied_at.is_(None),
    CODES.c.expires_at > sa.bindparam("now", type_=CODES.c.expires_at.type),
)
TYPED = (
    sa.select(CODES.c.id, CODES.c.parameters, Client.client_id)
    .join(Client, Client.id == CODES.c.client_id)
    .where(CODES.c.user_digest == sa.bindparam("digest"), *UNDECIDED)
)
DECIDE = sa.update(CODES).where(CODES.c.id == sa.bindparam("code"), *UNDECIDED).returning(CODES.c.id)
GIVE_BACK = (
    sa.update(GUESSES)
    .where(GUESSES.c.account_id == sa.bindparam("account"), GUESSES.c.attempts > 0)
    .values(attempts=GUESSES.c.attempts - 1)
)


def fingerprint(service: Service, user_code: str) -> str:
    """What is stored of a code to type; nobody can try all codes against it who has not our key."""
    return service.vault.fingerprint(f"device\n{user_code}")


def find_request(here: Here, session: LiveSession, entered: str) -> DeviceRequest | Refusal:
    """The request behind a code as it was typed.

    Refusals: ``unknown`` for a code that is none, was decided about or ran out; ``too-many`` after five such, until
    some time has passed since the last.
    """
    attempt = count_attempt(here, session.account_id)
    if not may_guess(attempt):
        if attempt == RULES.guesses + 1:
            record(here, "device-codes-refused", session.account)
        return Refusal("too-many")
    found = _look_up(here, read_user_code(entered))
    if found is None:
        return Refusal("unknown")
    with reader().connect() as connection:
        connection.execute(GIVE_BACK, {"account": session.account_id})
    return found


def count_attempt(here: Here, account_id: UUID) -> int:
    """Count one code typed; which one in a row it is.  They are forgotten some time after the last that was looked at."""
    forgotten = GUESSES.c.forgotten_at <= here.now
    later = sa.literal(here.now + RULES.rest, GUESSES.c.forgotten_at.type)
    statement = (
        insert(GUESSES)
        .values(account_id=account_id, attempts=1, forgotten_at=later)
        .on_conflict_do_update(
            index_elements=[GUESSES.c.account_id],
            set_={
                "attempts": sa.case((forgotten, 1), else_=GUESSES.c.attempts + 1),
                "forgotten_at": sa.case(
                    (sa.or_(forgotten, GUESSES.c.attempts < RULES.guesses), later), else_=GUESSES.c.forgotten_at
                ),
            },
        )
        .returning(GUESSES.c.attempts)
    )
    with reader().connect() as connection:
        return int(connection.execute(statement).scalar_one())


def allow(here: Here, session: LiveSession, asked: DeviceRequest) -> bool:
    """Grant the device what it asked for, in the name of who signed in here; False when it was decided about already.

    Allowing is consent as well, so the person sees it on the page of their account and can take it back there.
    """
    grant_id = uuid7()
    after = {"client": asked.client.client_id, "scope": list(asked.scope)}
    with db.engine.begin() as connection:
        decided = DECIDE.values(grant_id=grant_id, authenticated_at=session.authenticated_at)
        made = store_grant(connection, _grant(here, session, asked, grant_id))
        if not made or connection.execute(decided, {"code": asked.id, "now": here.now}).first() is None:
            connection.rollback()
            return False
        _record(connection, here, session, "device-allowed", asked, after)
    give_consent(here, session.account, asked.client.id, Asked(asked.scope, (), asked.resources, ()))
    return True


def deny(here: Here, session: LiveSession, asked: DeviceRequest) -> bool:
    """Refuse the device; False when it was decided about already."""
    with db.engine.begin() as connection:
        decided = DECIDE.values(denied_at=here.now)
        if connection.execute(decided, {"code": asked.id, "now": here.now}).first() is None:
            return False
        _record(connection, here, session, "device-denied", asked, {"client": asked.client.client_id})
    return True


def _look_up(here: Here, user_code: str | None) -> DeviceRequest | None:
    if user_code is None:
        return None
    with reader().connect() as connection:
        values = {"digest": fingerprint(here.service, user_code), "now": here.now}
        row = connection.execute(TYPED, values).one_or_none()
    client = find_client(row.client_id) if row else None
    if row is None or client is None:
        return None
    return DeviceRequest(row.id, client, tuple(row.parameters["scope"]), tuple(row.parameters["resource"]))


def _grant(here: Here, session: LiveSession, asked: DeviceRequest, grant_id: UUID) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": grant_id,
        "account_id": session.account_id,
        "client_id": asked.client.id,
        "session_id": session.id,
        "scope": " ".join(asked.scope),
        "granted_at": here.now,
    }
    return row | ({"resources": list(asked.resources)} if asked.resources else {})


def _record(
    connection: sa.Connection, here: Here, session: LiveSession, act: str, asked: DeviceRequest, after: dict[str, Any]
) -> None:
    """In the same transaction, as its last step."""
    subject = f"client/{asked.client.client_id}"
    chain(connection, [note(here, act, session.account, subject=subject, before={}, after=after)])
