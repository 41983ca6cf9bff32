"""Telling a person that somebody signed in to their account on a device not seen before (Regulation 5.4, 6.5).

A device is known by the cookie it keeps, and where that was cleared, by what it calls itself at an address that it
signed in from before: a private window is no new device.
"""

import sqlalchemy as sa

from idp.crypto import digest
from idp.db import db
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.record import Named
from idp.flows.send_message import send_message
from idp.models import Account, Session
from idp.prepared import Prepared
from policies.devices import device

# Whether the account had a session at all, and one on this device: a first sign-in is no new device.
SEEN = Prepared(
    sa.select(
        sa.exists().where(Session.account_id == sa.bindparam("account")).label("ever"),
        sa.exists()
        .where(Session.account_id == sa.bindparam("account"), Session.device_digest == sa.bindparam("device"))
        .label("known"),
    )
)
AGENTS = sa.select(Session.agent).distinct()


def tell_of_new_device(here: Here, account: Named) -> bool:
    """Queue the mail, unless the device is known or this is the account's first sign-in; whether it was queued.

    To be asked before the session begins; without a browser (a command) there is no device.
    """
    if here.device is None:
        return False
    seen = SEEN.first(db.session.connection(), account=account.id, device=digest(here.device))
    if not seen.ever or seen.known or _alike_at_this_address(here, account):
        return False
    key = f"new-device/{account.id}/{here.request_id}"
    return send_message(
        here,
        db.session.get_one(Account, account.id),
        "new-device",
        key,
        moment=here.now.astimezone(here.service.zone).strftime("%d.%m.%Y %H:%M"),
        device=device(here.agent),
        address=here.address,
        misuse_link=misuse_link(here, account.id),
    )


def _alike_at_this_address(here: Here, account: Named) -> bool:
    before = AGENTS.where(Session.account_id == account.id, Session.address == here.address)
    return device(here.agent) in {device(agent) for agent in db.session.scalars(before)}
