"""The printed slip by which somebody activates their account: printing it, and noting that it was handed over (4.4, 5.1).

The code is a one-time link of its own look (`one_time_links.py`), used as one (`activate.py`).  It stands on the sheet and
nowhere else; the password is chosen by the person, so no officer ever learns it (ASVS 6.4.6).  A code that lies in a
drawer opens nothing: it works once the hand-over is noted, and only then the working days of 5.1 begin.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from idp.crypto import digest
from idp.db import db, reader
from idp.flows.activate import check_may_issue, find_invitation, until_when
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.one_time_links import issue_link, waits
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.throttled import count_against, is_throttled
from idp.models import Account, Activation, Person
from policies.naming import display_name
from policies.slips import ALPHABET, LENGTH, read_slip_code


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands on the sheet; `until` is the last day when it is handed over today."""

    display_name: str
    login: str
    code: str
    until: date


def print_slip(here: Here, account: Account) -> Slip | Refusal:
    """Make a code for the owner of `account`, and void every link and slip before it.

    It has to be handed over within the working days that 5.1 gives from then on.  Refusal: ``gone``, they have a password
    meanwhile.  Raises `Forbidden` for officers of other departments, and for oneself.
    """
    check_may_issue(here, account)
    if account.activated_at is not None:
        return Refusal("gone")
    until = until_when(here)
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    issue_link(here, Activation, account, until.due_at, code, issued_by=here.actor, slip=True)
    record(here, "slip-printed", account, after={"handed_over_until": until.due_on})
    person = db.session.get_one(Person, account.person_id)
    return Slip(display_name(person.given, person.family, person.patronymic), account.login, code, until.due_on)


def hand_over_slip(here: Here, account: Account, slip_id: UUID) -> Refusal | None:
    """Note that its owner has received this very slip: it works from now on, until the end of the third working day.

    Refusal: ``slip-gone``, another one was printed since, or its time is over.  Raises `Forbidden` like `print_slip`.
    """
    check_may_issue(here, account)
    until = until_when(here)
    handed_over = db.session.scalar(
        sa.update(Activation)
        .where(Activation.id == slip_id, Activation.account_id == account.id, *_lies_ready(here.now))
        .values(handed_over_at=here.now, expires_at=until.due_at)
        .returning(Activation.id)
        .execution_options(synchronize_session=False)
    )
    if handed_over is None:
        return Refusal("slip-gone")
    record(here, "slip-handed-over", account, after={"valid_until": until.due_on})
    link = misuse_link(here, account.id)  # who notes a hand-over that never was could use the code himself
    send_message(here, account, "slip-handed-over", f"slip-handed-over/{slip_id}", misuse_link=link)
    return None


def find_slip(here: Here, entered: str) -> str | Refusal:
    """The code that was typed, however it was spelt, of a slip that works or waits for its hand-over to be noted.

    Refusals: ``code`` for anything else, each of them counted against the client (5.7); ``throttled``.  Raises `Busy`.
    """
    if is_throttled(here):
        return Refusal("throttled")
    code = read_slip_code(entered)
    if code and (find_invitation(code, here.now) or awaits_hand_over(code, here.now)):
        return code
    count_against(here)
    return Refusal("code")


def awaits_hand_over(code: str, now: datetime) -> bool:
    """Whether this is the code of a slip whose hand-over is not noted yet; changes nothing."""
    query = sa.select(Activation.id).where(Activation.token_digest == digest(code), *_lies_ready(now))
    with reader().connect() as connection:
        return connection.execute(query).first() is not None


def _lies_ready(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Activation.slip.is_(True), Activation.handed_over_at.is_(None), *waits(Activation, now)
