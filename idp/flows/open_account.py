"""The one account of a person: login and address are taken once and for all (design, decision 4)."""

from itertools import islice

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idp.crypto import new_token
from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Lockout, Person
from policies.naming import address, login_candidates

MOST_NAMESAKES = 10_000


def open_account(here: Here, person: Person) -> Account:
    """Create the account of `person`; the first free login of the proposals becomes theirs."""
    proposals = login_candidates(person.family, person.given, person.latin_family, person.latin_given)
    for login in islice(proposals, MOST_NAMESAKES):
        if db.session.scalar(sa.select(Account.id).where(Account.login == login)):
            continue
        try:
            with db.session.begin_nested():
                return _take(here, person, login)
        except IntegrityError:  # somebody else took it in this very moment
            continue
    raise RuntimeError("no free login among the proposals")


def _take(here: Here, person: Person, login: str) -> Account:
    institution = here.service.profile.institution
    account = Account(
        person_id=person.id,
        login=login,
        sub=new_token()[:22],
        email=address(login, institution.domain),
        language=institution.languages[0],
        created_at=here.now,
    )
    db.session.add(account)
    db.session.flush()
    db.session.execute(sa.delete(Lockout).where(Lockout.login == login))  # guesses at a login nobody had yet
    record(here, "account-opened", account, before={}, after={"login": login, "email": account.email})
    return account
