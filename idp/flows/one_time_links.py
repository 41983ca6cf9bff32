"""Links that work once: issuing, looking at, spending (security.md, recovery; ASVS 6.4, 11.5.1).

What is stored is their digest.  Leaves alone who gets one, and what it opens (`activate.py`, `reset_password.py`,
`prove_address.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.flows.here import Here
from idp.models import Account, Activation, AddressProof, Person, Recovery
from policies.naming import display_name

Kind = type[Activation] | type[Recovery] | type[AddressProof]

OWNER, HOLDER = aliased(Account), aliased(Person)  # of a link, apart from those a query asks for
# A link to recover by is bound to the address it was sent to: when that is the account's no more, it is dead.  A slip
# works once it was handed over.
BOUND: Mapping[Kind, tuple[sa.ColumnElement[bool], ...]] = {
    Recovery: (
        sa.exists().where(
            OWNER.id == Recovery.account_id,
            HOLDER.id == OWNER.person_id,
            sa.or_(HOLDER.personal_email == Recovery.email, OWNER.email == Recovery.email),
        ),
    ),
    Activation: (sa.or_(Activation.slip.is_(False), Activation.handed_over_at.is_not(None)),),
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that still works, and whom it is for."""

    account_id: UUID
    login: str
    display_name: str
    expires_at: datetime


def hold(account_id: UUID) -> Account:
    """The account, locked for the running transaction: whoever issues, spends or voids does so one after another."""
    return db.session.get_one(Account, account_id, with_for_update={"key_share": True})


def issue_link(
    here: Here, kind: Kind, account: Account, expires_at: datetime, token: str | None = None, **more: Any
) -> str:
    """Make a link and void the earlier ones of its kind; the answer is its token, which nobody else will ever see.

    A `token` of one's own must be as random.
    """
    hold(account.id)
    void_links(here, kind, account.id)
    token = token or new_token()
    db.session.add(
        kind(account_id=account.id, token_digest=digest(token), issued_at=here.now, expires_at=expires_at, **more)
    )
    return token


def void_links(here: Here, kind: Kind, account_id: UUID) -> None:
    """None that was issued so far works any more.  Changing what an account proves itself with calls for it."""
    db.session.execute(sa.update(kind).where(kind.account_id == account_id, *_unspent(kind)).values(voided_at=here.now))


def find_link(kind: Kind, token: str, now: datetime) -> Invitation | None:
    """Whom the link is for, or None when it is spent, voided, expired or made up.  Changes nothing."""
    query = (
        sa.select(Account.id, Account.login, Person.given, Person.family, Person.patronymic, kind.expires_at)
        .join(Account, Account.id == kind.account_id)
        .join(Person, Person.id == Account.person_id)
        .where(*_works(kind, token, now))
    )
    with reader().connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Invitation(row.id, row.login, display_name(row.given, row.family, row.patronymic), row.expires_at)


def spend_link(here: Here, kind: Kind, token: str, account_id: UUID) -> Account | None:
    """One statement: of those who use the link at once, one gets the account and the others nothing."""
    account = hold(account_id)
    spent = db.session.scalar(
        sa.update(kind)
        .where(kind.account_id == account_id, *_works(kind, token, here.now))
        .values(used_at=here.now)
        .returning(kind.id)
        .execution_options(synchronize_session=False)
    )
    return account if spent else None


def waits(kind: Kind, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """What holds of the one link of an account that was neither used nor voided, and whose time is not over."""
    return *_unspent(kind), kind.expires_at > now


def _unspent(kind: Kind) -> tuple[sa.ColumnElement[bool], ...]:
    return kind.used_at.is_(None), kind.voided_at.is_(None)


def _works(kind: Kind, token: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return kind.token_digest == digest(token), *waits(kind, now), *BOUND.get(kind, ())
