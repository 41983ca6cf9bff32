"""A forgotten password or login: asking, and what a worker mails to whom (Regulation 4.2, 4.3, S2-3.4; ASVS 6.3.8).

Asking is one row, whoever is asked about: whom it concerns is looked up by a worker, so that neither the page nor its
speed tells who exists.  What the link opens stands in `reset_password.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.crypto import digest
from idp.db import db
from idp.flows.here import Here
from idp.flows.one_time_links import hold, issue_link
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.throttled import count_against, is_throttled
from idp.flows.work import OPENING, Work, leave_work
from idp.models import Account, AffiliationRow, Link, Message, Person, Recovery, RecoveryRequest, System
from policies.deadlines import local_day
from policies.naming import canonical_login
from policies.recovery import HOUR, Addresses, Answer, Asked, Forgotten, answer

LONGEST_ENTRY = 254  # of a login or an address (RFC 5321, 4.5.3.1.3)
MOST_ACCOUNTS = 10  # of one personal address, as families share it
RESET, REMINDER = "password-reset", "login-reminder"  # the mails
MAILBOXES = ("mail", "google")  # the kinds of systems that keep mailboxes


def ask_to_recover(here: Here, forgotten: Forgotten, entered: str) -> Refusal | None:
    """Somebody has forgotten `forgotten` and entered this.  The same for whatever was entered.

    Refusal: ``throttled`` for a client that asks too often.  Raises `Busy`.
    """
    if is_throttled(here):
        return Refusal("throttled")
    count_against(here)
    request = RecoveryRequest(
        id=uuid7(), forgotten=forgotten.value, address=here.address, request_id=here.request_id, run_at=here.now
    )
    known_by = canonical_login(entered[:LONGEST_ENTRY])[:LONGEST_ENTRY]
    request.entered = here.service.vault.seal(known_by, f"recovery_request/{request.id}")
    db.session.add(request)
    leave_work(Work("recovery", request.id, here.now, OPENING, "mail-out"))
    return None


def answer_request(here: Here, request: RecoveryRequest) -> None:
    """Mail whoever is asked about, note what came of it, forget the request.  For a worker."""
    here = replace(here, address=request.address, request_id=request.request_id)
    forgotten = Forgotten(request.forgotten)
    entered = here.service.vault.open(request.entered, f"recovery_request/{request.id}")
    accounts = _accounts(forgotten, entered)
    for account in accounts:
        _answer(here, forgotten, account, entered)
    if not accounts:
        record(here, "recovery-asked", login=entered, after={"forgotten": forgotten.value, "outcome": "unknown"})
    db.session.delete(request)


def _accounts(forgotten: Forgotten, entered: str) -> Sequence[Account]:
    """By the personal address; who has forgotten the password, also by login or university address."""
    known_by = [sa.func.lower(Person.personal_email) == entered]
    if forgotten is Forgotten.PASSWORD:
        known_by += [Account.login == entered, Account.email == entered]
    query = sa.select(Account).join(Person, Person.id == Account.person_id).where(sa.or_(*known_by))
    return db.session.scalars(query.order_by(Account.id).limit(MOST_ACCOUNTS)).all()


def _answer(here: Here, forgotten: Forgotten, account: Account, entered: str) -> None:
    """One request about an account after another: its mails are counted under a lock."""
    hold(account.id)
    address = _addresses(here, account).to_use(entered, here.service.profile.rules.recovery)
    asked = Asked(
        account.open_at(here.now), account.activated_at is not None, address is not None, _mails(here, account)
    )
    outcome = answer(forgotten, asked, here.service.profile.rules.recovery)
    if outcome is Answer.MAIL and address is not None:
        MAILS[forgotten](here, account, address)
    record(here, "recovery-asked", account, after={"forgotten": forgotten.value, "outcome": outcome.value})


def _addresses(here: Here, account: Account) -> Addresses:
    """The mailbox is there when the last that was wanted of it was read back."""
    works = (Link.active.is_(True), Link.applied_revision == Link.revision)
    mail = sa.select(Link.id).join(System, System.code == Link.system).where(Link.account_id == account.id, *works)
    there = db.session.scalar(mail.where(System.kind.in_(MAILBOXES))) is not None
    lasting = AffiliationRow.lasts(local_day(here.now, here.service.zone), here.now)
    kinds = sa.select(AffiliationRow.kind).where(AffiliationRow.person_id == account.person_id, lasting)
    personal = db.session.get_one(Person, account.person_id).personal_email
    return Addresses(personal, account.email if there else None, frozenset(db.session.scalars(kinds)))


def _mails(here: Here, account: Account) -> int:
    """How many of recovery the account got within the last hour."""
    recent = (Message.account_id == account.id, Message.template.in_((RESET, REMINDER)))
    return (
        db.session.scalar(
            sa.select(sa.func.count()).select_from(Message).where(*recent, Message.created_at > here.now - HOUR)
        )
        or 0
    )


def _mail_link(here: Here, account: Account, address: str) -> None:
    lifetime = here.service.profile.rules.recovery.lifetime
    token = issue_link(here, Recovery, account, here.now + lifetime, email=address)
    link = f"{here.service.settings.base_url}/recovery/{token}"
    key = f"{RESET}/{digest(token)[:32]}"
    send_message(here, account, RESET, key, to=address, link=link, minutes=lifetime // timedelta(minutes=1))


def _mail_login(here: Here, account: Account, address: str) -> None:
    send_message(here, account, REMINDER, f"{REMINDER}/{here.request_id}/{account.id}", to=address)


MAILS: Mapping[Forgotten, Callable[[Here, Account, str], None]] = {
    Forgotten.PASSWORD: _mail_link,
    Forgotten.LOGIN: _mail_login,
}
