"""The account that people call by its login, however they spell it."""

import sqlalchemy as sa

from idp.db import db
from idp.models import Account
from policies.naming import canonical_login


def find_account(login: str) -> Account | None:
    """The account called `login`, or None."""
    return db.session.scalar(sa.select(Account).where(Account.login == canonical_login(login)))
