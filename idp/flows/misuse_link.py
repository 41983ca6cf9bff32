"""The link in security mails by which a person reports unauthorised access without signing in (Regulation 5.4, 6.5).

Signed, not stored: it names the account and the moment of its issue, and carries an HMAC over both that serves nothing
else.  It can do one thing, and only by a form: somebody who got hold of it could lock an account, never open one.
"""

import hmac
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, MisuseReport

VALID = timedelta(days=7)
TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{64})")


def misuse_link(here: Here, account_id: UUID) -> str:
    """The address for a mail to the person of this account; it works for a week, or until a case is closed."""
    issued = int(here.now.timestamp())
    token = f"{account_id.hex}.{issued}.{_signature(here, account_id, issued)}"
    return f"{here.service.settings.base_url}/report-misuse/{token}"


def read_misuse_link(here: Here, token: str) -> Account | None:
    """Whose link it is; None when it is made up, too old, or a case was closed since.  Changes nothing."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return None
    account_id, issued = UUID(found[1]), int(found[2])
    if not hmac.compare_digest(found[3], _signature(here, account_id, issued)):
        return None
    issued_at = datetime.fromtimestamp(issued, UTC)
    if here.now - issued_at >= VALID or _dealt_with_since(account_id, issued_at):
        return None
    return db.session.get(Account, account_id)


def _signature(here: Here, account_id: UUID, issued: int) -> str:
    return here.service.vault.fingerprint(f"misuse-link/{account_id.hex}/{issued}")


def _dealt_with_since(account_id: UUID, moment: datetime) -> bool:
    closed = sa.select(MisuseReport.id).where(MisuseReport.account_id == account_id, MisuseReport.closed_at >= moment)
    return db.session.scalar(closed.limit(1)) is not None
