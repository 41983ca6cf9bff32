"""The first administrator: the one account that rests on no order, made on the machine itself."""

from dataclasses import dataclass

import sqlalchemy as sa

from idp.db import db
from idp.flows.activate import issue_activation
from idp.flows.appointments import appoint_officer
from idp.flows.here import Here
from idp.flows.open_account import open_account
from idp.models import Officer, Person


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """The login, and the link with which its owner chooses a password."""

    login: str
    link: str


def bootstrap_account(here: Here, family: str, given: str, email: str, basis: str) -> Bootstrapped | None:
    """Open an account and appoint it administrator; None when somebody is one already."""
    if db.session.scalar(sa.select(Officer.id).where(Officer.role == "admin", Officer.until.is_(None)).limit(1)):
        return None
    person = Person(family=family, given=given, personal_email=email, created_at=here.now)
    db.session.add(person)
    db.session.flush()
    account = open_account(here, person)
    account.opens_at = here.now
    appoint_officer(here, account, "admin", None, None, basis)
    return Bootstrapped(account.login, issue_activation(here, account))
