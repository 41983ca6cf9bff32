"""Telling one client of the end of one session, until it has heard it (OIDC Back-Channel Logout; Regulation 5.6).

At least once: a session that is over stays over.  No transaction is open while the client is called.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.db import db, reader, unit_of_work
from idp.flows.here import Here, at_work
from idp.flows.record import record
from idp.log import log
from idp.models import Account, Client, LogoutNotice
from idp.oauth.backchannel_logout import Refused, logout_token, say_logout
from idp.oauth.clients import find_client
from idp.oauth.outbound import Unreachable
from idp.provisioning.lease import claim, get_back
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, next_attempt

PATIENCE = RetryRules(first=timedelta(seconds=5), give_up_after=timedelta(days=1))  # longer, no session lives anyway
SAID = sa.select(LogoutNotice.session_id, Account.sub, Client.client_id).join(
    Account, Account.id == LogoutNotice.account_id
).join(Client, Client.id == LogoutNotice.client_id)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the client has not heard it; `final`: and never will."""

    reason: str
    final: bool = False


def tell_client(workshop: Workshop, notice_id: UUID) -> None:
    """Claim the notice, call the client, settle.  Does nothing when it is not due or somebody else has it."""
    held = claim(LogoutNotice, notice_id, workshop.owner(), workshop.service.clock.now(), workshop.lease)
    if held is None:
        return
    failure = _try(at_work(workshop.service, "worker"), notice_id)
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        notice: LogoutNotice | None = get_back(held, here.now)
        if notice is not None and failure is None:
            _told(here, notice)
        elif notice is not None and failure is not None:
            _put_off(workshop, here, notice, failure)


def _try(here: Here, notice_id: UUID) -> Failure | None:
    with reader().connect() as connection:
        said = connection.execute(SAID.where(LogoutNotice.id == notice_id)).one()
    client = find_client(said.client_id)
    uri = client.metadata.backchannel_logout_uri if client else None
    if client is None or uri is None:
        return Failure("the client does not want to be told any more", final=True)
    try:
        say_logout(here, uri, logout_token(here, client, said.sub, said.session_id))
    except Refused as error:
        return Failure(str(error), final=True)
    except Unreachable as error:
        return Failure(error.reason)
    except Exception as error:
        log.error("logout-crash", client=said.client_id, exc_info=error)
        return Failure(type(error).__name__)
    return None


def _told(here: Here, notice: LogoutNotice) -> None:
    notice.status, notice.told_at = "told", here.now
    notice.run_at = notice.last_error = None
    _record(here, "client-told-of-logout", notice)


def _put_off(workshop: Workshop, here: Here, notice: LogoutNotice, failure: Failure) -> None:
    """Later, unless the client refused, or it would be too late to be of use."""
    notice.failures, notice.last_error = notice.failures + 1, failure.reason
    outcome = "permanent" if failure.final else "retryable"
    notice.run_at = next_attempt(
        outcome, notice.failures, notice.created_at, here.now, workshop.chance(), None, PATIENCE
    )
    log.warning("client-not-told", notice=str(notice.id), reason=failure.reason, again_at=notice.run_at)
    if notice.run_at is None:
        notice.status = "failed"
        _record(here, "client-not-told-of-logout", notice, reason=failure.reason)


def _record(here: Here, act: str, notice: LogoutNotice, **more: str) -> None:
    account = db.session.get_one(Account, notice.account_id)
    client = db.session.get_one(Client, notice.client_id)
    after = {"status": notice.status, "sid": str(notice.session_id), **more}
    record(here, act, account, subject=f"client/{client.client_id}", before={"status": "waiting"}, after=after)
