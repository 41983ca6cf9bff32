"""Whether an account may take a password, by every rule of Regulation 5.1 at once; and taking it."""

import string
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.one_time_links import hold, void_links
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Account, Credential, Person, Recovery
from policies.passwords import Broken, broken_rules, normalise

COMMON = frozenset(FREQUENCY_LISTS["passwords"])
TRIMMINGS = string.digits + string.punctuation  # Password1! is still «password»

PERSONAL = (
    sa.select(
        Person.id, Account.login, Account.email, Person.family, Person.given, Person.patronymic, Person.latin_family,
        Person.latin_given, Person.personal_email, Person.work_phone, Person.mobile_phone, Person.employee_no,
        Person.personal_number,
    )
    .join(Person, Person.id == Account.person_id)
    .where(Account.id == sa.bindparam("account"))
)  # fmt: skip


def judge_password(here: Here, account_id: UUID, password: str) -> tuple[tuple[Broken, ...], str | None]:
    """Every rule that `password` breaks and, when it breaks none, the hash to keep.

    Reads without a transaction and hashes once: with one salt for all passwords of an account the new hash equals
    an old one exactly when the password was used before.  Hashes from before the cost was raised are tried one by one.
    """
    password = normalise(password)
    rules = here.service.profile.rules.password
    with reader().connect() as connection:
        personal = _own(here, connection.execute(PERSONAL, {"account": account_id}).one())
        earlier = connection.scalars(
            sa.select(Credential.password_hash).where(Credential.account_id == account_id).order_by(Credential.set_at)
        ).all()
    broken = broken_rules(password, rules, personal, is_common(password), used_before=False)
    if Broken.TOO_LONG in broken:
        return broken, None
    hasher = here.service.hasher
    kept = hasher.hash(password, salt_of=earlier[0] if earlier else None)
    if kept in earlier or any(hasher.verify(one, password) for one in earlier if hasher.outdated(one)):
        broken = broken_rules(password, rules, personal, is_common(password), used_before=True)
    return broken, None if broken else kept


def choose_password(here: Here, account_id: UUID, password: str, again: str) -> str | Refusal:
    """The hash to keep of a password typed twice.  Refusal: ``password``, with the codes of all broken rules under
    ``broken``."""
    broken, password_hash = judge_password(here, account_id, password)
    codes = [rule.value for rule in broken] + (["mismatch"] if password != again else [])
    return Refusal("password", {"broken": codes}) if codes or password_hash is None else password_hash


def _own(here: Here, row: Any) -> list[str]:
    """What of the person's own no password may contain: an address by its local part, a phone by its digits."""
    sealed = row.personal_number
    number = here.service.vault.open(sealed, f"person/{row.id}/personal_number") if sealed else None
    phones = ["".join(filter(str.isdigit, phone)) for phone in (row.work_phone, row.mobile_phone) if phone]
    addresses = [address.partition("@")[0] for address in (row.email, row.personal_email) if address]
    names = (row.family, row.given, row.patronymic, row.latin_family, row.latin_given)
    own = [row.login, *names, row.employee_no, number, *addresses, *phones, *(phone[-9:] for phone in phones)]
    return [item for item in own if item]


def is_common(password: str) -> bool:
    """Whether it stands on the list of common passwords, as it is or once its trimmings are taken off."""
    plain = password.casefold()
    return plain in COMMON or plain.strip(TRIMMINGS) in COMMON


def set_password(here: Here, account: Account, password_hash: str) -> None:
    """Make `password_hash` the account's password; earlier ones are kept, so that they never come back.

    Links to recover by that were asked for before are dead.
    """
    hold(account.id)
    void_links(here, Recovery, account.id)
    db.session.execute(
        sa.update(Credential)
        .where(Credential.account_id == account.id, Credential.replaced_at.is_(None))
        .values(replaced_at=here.now)
    )
    db.session.add(Credential(account_id=account.id, password_hash=password_hash, set_at=here.now))
    record(here, "password-set", account, before={"password": None}, after={"password": "changed"})
