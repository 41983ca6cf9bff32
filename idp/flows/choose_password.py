"""Whether an account may take a password, by every rule of Regulation 5.1 at once; and taking it."""

import string
from uuid import UUID

import sqlalchemy as sa
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, Credential, Person
from policies.passwords import Broken, broken_rules, normalise

COMMON = frozenset(FREQUENCY_LISTS["passwords"])
TRIMMINGS = string.digits + string.punctuation  # Password1! is still «password»

PERSONAL = (
    sa.select(
        Account.login, Account.email, Person.family, Person.given, Person.latin_family, Person.latin_given,
        Person.personal_email, Person.work_phone, Person.mobile_phone, Person.employee_no,
    )
    .join(Person, Person.id == Account.person_id)
    .where(Account.id == sa.bindparam("account"))
)  # fmt: skip


def judge_password(here: Here, account_id: UUID, password: str) -> tuple[tuple[Broken, ...], str | None]:
    """Every rule that `password` breaks and, when it breaks none, the hash to keep.

    Reads without a transaction and hashes once: with one salt for all passwords of an account the new hash equals
    an old one exactly when the password was used before.
    """
    password = normalise(password)
    rules = here.service.profile.rules.password
    with reader().connect() as connection:
        personal = [str(item) for item in connection.execute(PERSONAL, {"account": account_id}).one() if item]
        earlier = connection.scalars(
            sa.select(Credential.password_hash).where(Credential.account_id == account_id).order_by(Credential.set_at)
        ).all()
    broken = broken_rules(password, rules, personal, is_common(password), used_before=False)
    if Broken.TOO_LONG in broken:
        return broken, None
    kept = here.service.hasher.hash(password, salt_of=earlier[0] if earlier else None)
    if kept in earlier:
        broken = broken_rules(password, rules, personal, is_common(password), used_before=True)
    return broken, None if broken else kept


def is_common(password: str) -> bool:
    """Whether it stands on the list of common passwords, as it is or once its trimmings are taken off."""
    plain = password.casefold()
    return plain in COMMON or plain.strip(TRIMMINGS) in COMMON


def set_password(here: Here, account: Account, password_hash: str) -> None:
    """Make `password_hash` the account's password; earlier ones are kept, so that they never come back."""
    db.session.execute(
        sa.update(Credential)
        .where(Credential.account_id == account.id, Credential.replaced_at.is_(None))
        .values(replaced_at=here.now)
    )
    db.session.add(Credential(account_id=account.id, password_hash=password_hash, set_at=here.now))
    record(here, "password-set", account, before={"password": None}, after={"password": "changed"})
