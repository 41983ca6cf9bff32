"""Accepting an agreement: on the simple electronic signature, on electronic HR documents (6.2, 6.3, annex 2).

Owns the record of acceptance; which one is missing is decided in `policies/agreement.py`, the texts are the profile's.
"""

from typing import cast

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db, insert
from idp.flows.agreement_texts import keep_text
from idp.flows.follow_orders import follow_orders
from idp.flows.here import Here
from idp.flows.record import Named, record
from idp.flows.refusal import Refusal
from idp.models import Acceptance, Account, OrderLine, Person

TABLE = cast(sa.Table, Acceptance.__table__)


def accept_agreement(here: Here, account: Named, sha256: str) -> Refusal | None:
    """Note that the person behind `account` accepted the text with this hash: the one they saw, or nothing.

    Said twice, or from two windows at once, it is as accepted as said once.  Refusal: ``text-changed``, no text in force
    has this hash.
    """
    agreement = next((one for one in here.service.profile.agreements if one.current.sha256 == sha256), None)
    if agreement is None:
        return Refusal("text-changed")
    keep_text(here, agreement)
    if _note(here, account, agreement.current.version, sha256):
        _follow(here, account, agreement.code)
        after = {"agreement": agreement.code, "version": agreement.current.version, "agreement_hash": sha256}
        record(here, "agreement-accepted", account, before={"version": None}, after=after)
    return None


def _follow(here: Here, account: Named, code: str) -> None:
    """Have the systems that wait for this agreement follow at once."""
    if all(one.needs_agreement != code for one in here.service.profile.systems):
        return
    person = sa.select(Person).join(Account, Account.person_id == Person.id).where(Account.id == account.id)
    named = sa.exists().where(OrderLine.person_id == Person.id)  # the first administrator is named by no order
    if (found := db.session.scalar(person.where(named))) is not None:
        follow_orders(here, found)


def _note(here: Here, account: Named, version: str, sha256: str) -> bool:
    """Whether it is new."""
    noted = (
        insert(TABLE)
        .values(
            id=uuid7(),
            account_id=account.id,
            version=version,
            sha256=sha256,
            accepted_at=here.now,
            address=here.address,
        )
        .on_conflict_do_nothing()
        .returning(TABLE.c.id)
    )
    return db.session.connection().execute(noted).first() is not None
