"""Attempts at a person's password in the mail system, counted with all others (Regulation 5.7).

The mail system asks before it looks at a password, and tells afterwards how it went.  A login that is locked here is
refused there as well, and wrong passwords there lock it here.  An access token is nobody's guess: it is not counted.
"""

from dataclasses import dataclass

from idp.flows.count_attempt import ANY, Turn, count_attempt, give_back, lock, locked, refused
from idp.flows.here import Here
from idp.flows.sign_in import FOUND, LONGEST_LOGIN, Found
from idp.flows.throttled import count_against, is_throttled
from policies.lockout import Door
from policies.naming import canonical_login


@dataclass(frozen=True, slots=True)
class MailAttempt:
    """What the mail system tells of one: the name that was entered (a login or an address), by what `mechanism` of SASL,
    and a mark by which the same password is known again, empty where it sends none."""

    name: str
    mechanism: str = ""
    mark: str = ""

    @property
    def is_guess(self) -> bool:
        """Whether a password was tried; the mechanisms of RFC 7628 bring a token."""
        return self.mechanism.upper() not in ("XOAUTH2", "OAUTHBEARER")


def allow_attempt(here: Here, attempt: MailAttempt) -> bool:
    """Count it; whether the mail system may look at the password.  Raises `Busy`."""
    if not attempt.is_guess:
        return True
    if is_throttled(here):
        return False
    login = _login(here, attempt)
    turn = count_attempt(here, login, _mark(here, login, attempt))
    if turn.door is not Door.SHUT:
        return True
    account = _account(login)
    count_against(here)
    lock(here, turn, account)
    locked(here, turn, account)
    return False


def settle_attempt(here: Here, attempt: MailAttempt, right: bool | None) -> None:
    """How it went: a right one takes its own count back and no other's, since the password may not be ours; a wrong one
    may lock.  None: nobody could look at it."""
    if not attempt.is_guess:
        return
    turn = Turn(_login(here, attempt), ANY, Door.LAST)
    if right is False:
        count_against(here)
        refused(here, turn, _account(turn.login), "wrong")
    else:
        give_back(turn)


def _login(here: Here, attempt: MailAttempt) -> str:
    """The login of an address of ours; what else was entered counts for itself, like at the sign-in page."""
    name, _, domain = canonical_login(attempt.name).rpartition("@")
    ours = name and domain == here.service.profile.institution.domain
    return (name if ours else canonical_login(attempt.name))[:LONGEST_LOGIN]


def _mark(here: Here, login: str, attempt: MailAttempt) -> str | None:
    """Where the same wrong password counts once, the same one in the mail does too (`same_wrong_once`)."""
    if not attempt.mark or not here.service.profile.rules.lockout.same_wrong_once:
        return None
    return here.service.vault.fingerprint(f"wrong in mail\n{login}\n{attempt.mark}")


def _account(login: str) -> Found | None:
    row = FOUND.first(login=login)
    return Found(*row) if row else None
