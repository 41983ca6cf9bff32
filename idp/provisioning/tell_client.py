"""Telling one client of the end of one session, until it has heard it (OIDC Back-Channel Logout; Regulation 5.6).

At least once: a session that is over stays over.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Client, LogoutNotice
from idp.oauth.backchannel_logout import Refused, logout_token, say_logout
from idp.oauth.clients import find_client
from idp.oauth.outbound import Unreachable
from idp.provisioning.hand_over import Failure, Round, hand_over
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules

PATIENCE = RetryRules(first=timedelta(seconds=5), give_up_after=timedelta(days=1))  # longer, no session lives anyway
SAID = sa.select(LogoutNotice.session_id, Account.sub, Client.client_id).join(
    Account, Account.id == LogoutNotice.account_id
).join(Client, Client.id == LogoutNotice.client_id)  # fmt: skip


def tell_client(workshop: Workshop, notice_id: UUID) -> None:
    """Claim the notice, call the client, settle.  Does nothing when it is not due or somebody else has it."""
    hand_over(workshop, LOGOUTS, notice_id)


def _call(here: Here, notice_id: UUID) -> Failure | None:
    with reader().connect() as connection:
        said = connection.execute(SAID.where(LogoutNotice.id == notice_id)).one()
    client = find_client(said.client_id)
    uri = client.metadata.backchannel_logout_uri if client else None
    if client is None or uri is None:
        return Failure("the client does not want to be told any more", "permanent")
    try:
        say_logout(here, uri, logout_token(here, client, said.sub, said.session_id))
    except Refused as error:
        return Failure(str(error), "permanent")
    except Unreachable as error:
        return Failure(error.reason, retry_after=error.retry_after)
    return None


def _ended(here: Here, notice: LogoutNotice, reason: str | None) -> None:
    account = db.session.get_one(Account, notice.account_id)
    client = db.session.get_one(Client, notice.client_id)
    told = {"status": notice.status, "sid": str(notice.session_id)}
    subject, before = f"client/{client.client_id}", {"status": "waiting"}
    if reason is None:
        record(here, "client-told-of-logout", account, subject=subject, before=before, after=told)
    else:
        after = told | {"reason": reason}
        record(here, "client-not-told-of-logout", account, subject=subject, before=before, after=after)


LOGOUTS = Round(LogoutNotice, _call, _ended, PATIENCE)
