"""A new personal address counts once its owner has shown that it is theirs (Regulation 3.6, 4.2; ASVS 6.3.7, 7.5.1).

Recovery goes there: the link is mailed to the new address and works for its person alone, signed in; the old address is
told when it is asked for and when it has changed.
"""

from datetime import timedelta

import sqlalchemy as sa

from idp.crypto import digest
from idp.db import db
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.one_time_links import find_link, issue_link, spend_link, void_links
from idp.flows.overview import mask_email
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.statements import CONFIRMED, settle, state, value_of
from idp.flows.write_person import hold_person, write_person
from idp.models import Account, AddressProof, Person, Recovery, Statement

LIFETIME = timedelta(hours=24)
HOUR = timedelta(hours=1)
MOST_ADDRESSES = 3  # within an hour: each sends a mail to somebody who may not have asked for it


def asked_too_often(here: Here, person: Person) -> bool:
    """Whether the person has asked for as many addresses as they may within an hour."""
    recent = (Statement.person_id == person.id, Statement.field == "personal_email")
    asked = sa.select(sa.func.count(Statement.id)).where(*recent, Statement.stated_at > here.now - HOUR)
    return (db.session.scalar(asked) or 0) >= MOST_ADDRESSES


def ask_for_proof(here: Here, person: Person, account: Account, address: str) -> None:
    """Mail a link to the new `address`, and word of it to the present one."""
    statement = state(here, person, "personal_email", address, counts=False)
    token = issue_link(here, AddressProof, account, here.now + LIFETIME, statement_id=statement.id)
    link = f"{here.service.settings.base_url}/account/profile/address/{token}"
    key = f"address-proof/{digest(token)[:32]}"
    record(
        here, "address-asked", account, before={"personal_email": person.personal_email},
        after={"personal_email": address},
    )  # fmt: skip
    send_message(here, account, "address-proof", key, to=address, link=link, hours=LIFETIME // HOUR)
    _tell_old(here, account, person.personal_email, address, "asked")


def find_proof(here: Here, account: Account, token: str) -> str | None:
    """The address that the link is to prove for `account`; None when it does not work (any more), or is another's."""
    invitation = find_link(AddressProof, token, here.now)
    if invitation is None or invitation.account_id != account.id:
        return None
    statement = _behind(token)
    return value_of(here, statement) if statement.state == "waiting" else None


def prove_address(here: Here, account: Account, token: str) -> Refusal | None:
    """Let the address count.  Refusal: ``spent``; links that went to the old address are dead from now on."""
    person = hold_person(account.person_id)
    if find_proof(here, account, token) is None or spend_link(here, AddressProof, token, account.id) is None:
        return Refusal("spent")
    statement = _behind(token)
    if not settle(here, statement.id, CONFIRMED):
        return Refusal("spent")
    before, address = person.personal_email, value_of(here, statement)
    write_person(here, person, {"personal_email": address})
    void_links(here, Recovery, account.id)
    _tell_old(here, account, before, address, "changed")
    return None


def _behind(token: str) -> Statement:
    return db.session.scalars(
        sa.select(Statement)
        .join(AddressProof, AddressProof.statement_id == Statement.id)
        .where(AddressProof.token_digest == digest(token))
    ).one()


def _tell_old(here: Here, account: Account, old: str | None, new: str, stage: str) -> None:
    """The address that counts until now hears of it; the new one in part, for it may be a stranger's."""
    if old is not None:
        told = {"stage": stage, "new": mask_email(new), "misuse_link": misuse_link(here, account.id)}
        send_message(
            here, account, "address-changing", f"address-{stage}/{here.request_id}/{account.id}", to=old, **told
        )
