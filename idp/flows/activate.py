"""The one-time link to a new account: issuing it and using it (Regulation 4.4, 5.1; ASVS 6.4)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from idp.crypto import digest, new_token
from idp.db import db, reader
from idp.errors import Forbidden
from idp.flows.choose_password import judge_password, set_password
from idp.flows.departments import departments_of
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.models import Account, Activation, Person
from policies.deadlines import deadline, local_day
from policies.naming import display_name
from policies.permissions import Whom, may


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that still works, and whom it is for."""

    account_id: UUID
    login: str
    display_name: str
    expires_at: datetime


USABLE = sa.and_(Activation.used_at.is_(None), Activation.voided_at.is_(None))

LOOK_UP = (
    sa.select(Account.id, Account.login, Person.given, Person.family, Person.patronymic, Activation.expires_at)
    .join(Account, Account.id == Activation.account_id)
    .join(Person, Person.id == Account.person_id)
    .where(Activation.token_digest == sa.bindparam("digest"), USABLE, Activation.expires_at > sa.bindparam("now"))
)


def issue_activation(here: Here, account: Account) -> str:
    """Make a one-time link, void the earlier ones, and mail it to the personal address; the answer is the link.

    It works until the end of the third working day (5.1).
    """
    rules = here.service.profile.rules
    today = local_day(here.now, here.service.zone)
    until = deadline(today, rules.initial_credentials_days, here.service.calendar, here.service.zone)
    token = new_token()
    db.session.execute(
        sa.update(Activation).where(Activation.account_id == account.id, USABLE).values(voided_at=here.now)
    )
    db.session.add(
        Activation(
            account_id=account.id,
            token_digest=digest(token),
            issued_at=here.now,
            issued_by=here.actor,
            expires_at=until.due_at,
        )
    )
    link = f"{here.service.settings.base_url}/activation/{token}"
    key = f"activation/{digest(token)[:32]}"
    mailed = send_message(here, account, "activation", key, link=link, last_day=until.due_on)
    record(here, "activation-issued", account, after={"valid_until": until.due_on, "mailed": mailed})
    return link


def issue_activation_again(here: Here, account: Account) -> Refusal | None:
    """An officer's new link for somebody who let the first one pass.  Refusal: ``gone``, it was used meanwhile.

    Raises `Forbidden` for officers of other departments, and for oneself.
    """
    whom = Whom(str(account.id), departments_of(here, account), None)
    if here.who is None or not may("issue-activation", here.who, whom, here.now):
        raise Forbidden("issue-activation")
    if account.activated_at is not None:
        return Refusal("gone")
    issue_activation(here, account)
    return None


def find_invitation(token: str, now: datetime) -> Invitation | None:
    """Whom the link is for, or None when it is spent, voided, expired or made up.  Changes nothing."""
    with reader().connect() as connection:
        row = connection.execute(LOOK_UP, {"digest": digest(token), "now": now}).one_or_none()
    if row is None:
        return None
    return Invitation(row.id, row.login, display_name(row.given, row.family, row.patronymic), row.expires_at)


def activate(here: Here, token: str, password: str, again: str) -> Refusal | None:
    """Spend the link and set the first password.  None when done.

    Refusals: ``spent``; ``password`` with the codes of all broken rules under ``broken`` (the link stays usable).
    """
    invitation = find_invitation(token, here.now)
    if invitation is None:
        return Refusal("spent")
    broken, password_hash = judge_password(here, invitation.account_id, password)
    codes = [rule.value for rule in broken] + (["mismatch"] if password != again else [])
    if codes or password_hash is None:
        return Refusal("password", {"broken": codes})
    account = _spend(here, token)
    if account is None:
        return Refusal("spent")
    account.activated_at = here.now
    owner = here.acting_as(f"account/{account.login}")
    set_password(owner, account, password_hash)
    record(owner, "activated", account, before={"activated": False}, after={"activated": True})
    return None


def _spend(here: Here, token: str) -> Account | None:
    """One statement: of two that use the link at once, one gets nothing."""
    account_id = db.session.scalar(
        sa.update(Activation)
        .where(Activation.token_digest == digest(token), USABLE, Activation.expires_at > here.now)
        .values(used_at=here.now)
        .returning(Activation.account_id)
    )
    return db.session.get(Account, account_id) if account_id else None
