"""Whether an account may take a password, by every rule of Regulation 5.1 at once; and taking it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from zxcvbn import zxcvbn

from idp.db import db, reader
from idp.flows.here import Here
from idp.flows.one_time_links import hold, void_links
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Account, Credential, Person, Recovery
from policies.passwords import Broken, broken_rules, normalise

MEASURED = 72  # characters whose strength is looked at; more cost more and say no more (stack.md)

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
    Raises `Busy`.
    """
    password = normalise(password)
    rules, is_common = here.service.profile.rules.password, password in here.service.common_passwords
    personal = own_words(here, account_id)
    with reader().connect() as connection:
        earlier = connection.scalars(
            sa.select(Credential.password_hash).where(Credential.account_id == account_id).order_by(Credential.set_at)
        ).all()
    broken = broken_rules(password, rules, personal, is_common, used_before=False)
    if Broken.TOO_LONG in broken:
        return broken, None
    hasher = here.service.hasher
    kept = hasher.hash(password, salt_of=earlier[0] if earlier else None)
    if kept in earlier or any(hasher.verify(one, password) for one in earlier if hasher.outdated(one)):
        broken = broken_rules(password, rules, personal, is_common, used_before=True)
    if not broken and _opens_something_else(here, account_id, password):
        broken = (Broken.OTHER_SERVICE,)
    return broken, None if broken else kept


def advise(here: Here, account_id: UUID, password: str) -> tuple[tuple[Broken, ...], int]:
    """What can be told while somebody types: the broken rules but for those that take their time (used before, opens
    something else), and the strength from 0 to 4.  Nothing of it is kept."""
    password, personal = normalise(password), own_words(here, account_id)
    rules = here.service.profile.rules.password
    broken = broken_rules(password, rules, personal, password in here.service.common_passwords, used_before=False)
    return broken, zxcvbn(password[:MEASURED], user_inputs=personal)["score"] if password else 0


def own_words(here: Here, account_id: UUID) -> list[str]:
    """What of the person's own no password may contain.  Reads without a transaction."""
    with reader().connect() as connection:
        return _own(here, connection.execute(PERSONAL, {"account": account_id}).one())


def _opens_something_else(here: Here, account_id: UUID, password: str) -> bool:
    """Whether a system that keeps passwords of its own takes it (5.1).  Asked last and once: each refusal counts there.

    Raises `Busy` when a system does not answer: what can't be checked is not allowed.
    """
    with reader().connect() as connection:
        login = connection.scalar(sa.select(Account.login).where(Account.id == account_id))
    return any(accepts(login or "", password) for accepts in here.service.password_checks)


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


def set_password(here: Here, account: Account, password_hash: str) -> None:
    """Make `password_hash` the account's password; earlier ones are kept, so that they never come back.

    Links to recover by that were asked for before are dead.
    """
    hold(account.id)
    void_links(here, Recovery, account.id)
    replaced = db.session.execute(
        sa.update(Credential)
        .where(Credential.account_id == account.id, Credential.replaced_at.is_(None))
        .values(replaced_at=here.now)
        .returning(Credential.id)
    ).first()
    db.session.add(Credential(account_id=account.id, password_hash=password_hash, set_at=here.now))
    record(here, "password-set", account, before={"password": replaced and "changed"}, after={"password": "changed"})
