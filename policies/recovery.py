"""Who is mailed when somebody has forgotten a password or a login.  Regulation 4.2, 4.3, S2-3.4, 5.7.

Owns how long a link works, how many mails an account gets, and who gets none.  Leaves alone the counting, and what the
page answers: the same to everybody, whatever the verdict.  A lock is no matter here: it is neither asked for nor lifted.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RecoveryRules:
    """`lifetime` of a link, at most an hour; `mails` of recovery to one account within an hour, of both kinds together.

    `corporate_for`: who may be mailed at the university's address (S2-3.4: students, for the portal); others would need
    the very password that they have forgotten to read it.
    """

    lifetime: timedelta = HOUR
    mails: int = 3
    corporate_for: frozenset[str] = frozenset({"student"})  # kinds of affiliations


class Forgotten(Enum):
    """What is asked for."""

    PASSWORD = "password"  # noqa: S105  # a word, not a secret
    LOGIN = "login"


class Answer(Enum):
    """What becomes of it; the value stands in the audit trail."""

    MAIL = "mailed"
    CLOSED = "closed"  # or not open yet
    NOT_ACTIVATED = "not-activated"  # its first password comes by the link of 5.1 alone
    NO_ADDRESS = "no-address"
    ENOUGH = "enough"  # mails within the hour


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an account could be mailed: `corporate` only where it has a mailbox that works."""

    personal: str | None
    corporate: str | None
    kinds: frozenset[str]  # of the person's lasting affiliations

    def to_use(self, entered: str, rules: RecoveryRules) -> str | None:
        """The personal one; the corporate one where the rules let, if there is no other or the person named it."""
        allowed = self.corporate if self.kinds & rules.corporate_for else None
        return allowed if allowed and (self.personal is None or entered == allowed) else self.personal


@dataclass(frozen=True, slots=True)
class Asked:
    """The account that is asked about; `mails` it got within the last hour."""

    is_open: bool
    activated: bool
    has_address: bool
    mails: int


def answer(forgotten: Forgotten, asked: Asked, rules: RecoveryRules) -> Answer:
    """The first reason against a mail, or the mail."""
    if not asked.is_open:
        return Answer.CLOSED
    if forgotten is Forgotten.PASSWORD and not asked.activated:
        return Answer.NOT_ACTIVATED
    if not asked.has_address:
        return Answer.NO_ADDRESS
    return Answer.ENOUGH if asked.mails >= rules.mails else Answer.MAIL
