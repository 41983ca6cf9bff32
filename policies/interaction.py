"""The next step of a sign-in, decided in one place.  Regulation 5.1, 5.4, 6.2; OIDC Core 3.1.2.1, 3.1.2.3.

Owns the order of the steps.  Leaves alone how a step is carried out: each page does its one thing and comes back here.
A new requirement is a fact and a row of `CHECKS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision rests on; moments in UTC, `max_age` in seconds."""

    signed_in: bool
    account_open: bool
    must_change_password: bool
    agreement_accepted: bool
    client_allowed: bool  # policy grants this account the client's system; True without a client
    prompt: frozenset[str]
    authenticated_at: datetime | None
    max_age: int | None
    requested_at: datetime


class Step(Enum):
    """What happens next; the last two are the answers to a client that forbids pages (prompt=none)."""

    SIGN_IN = "sign-in"
    CHANGE_PASSWORD = "change-password"
    AGREEMENT = "agreement"
    DENIED = "denied"
    DONE = "done"
    LOGIN_REQUIRED = "login-required"
    INTERACTION_REQUIRED = "interaction-required"


Check = Callable[[Facts, datetime], bool]


def nobody_is_signed_in(facts: Facts, now: datetime) -> bool:
    """No session."""
    return not facts.signed_in


def a_fresh_sign_in_is_asked_for(facts: Facts, now: datetime) -> bool:
    """The client asked for the person to prove themselves again, and they have not since."""
    asked = "login" in facts.prompt or _older_than_max_age(facts, now)
    return asked and (facts.authenticated_at is None or facts.authenticated_at < facts.requested_at)


def the_account_is_closed(facts: Facts, now: datetime) -> bool:
    """The session outlived the account's right to be used.  Regulation 3.7."""
    return not facts.account_open


def the_password_must_change(facts: Facts, now: datetime) -> bool:
    """An initial password, or one declared unsafe.  Regulation 5.1."""
    return facts.must_change_password


def the_agreement_is_missing(facts: Facts, now: datetime) -> bool:
    """Without it no system is reached.  Regulation 6.2."""
    return not facts.agreement_accepted


def the_system_is_not_granted(facts: Facts, now: datetime) -> bool:
    """Policy does not give this account the client's system.  Regulation 3.2, annex."""
    return not facts.client_allowed


CHECKS: tuple[tuple[Check, Step], ...] = (
    (nobody_is_signed_in, Step.SIGN_IN),
    (a_fresh_sign_in_is_asked_for, Step.SIGN_IN),
    (the_account_is_closed, Step.DENIED),
    (the_password_must_change, Step.CHANGE_PASSWORD),
    (the_agreement_is_missing, Step.AGREEMENT),
    (the_system_is_not_granted, Step.DENIED),
)

# OIDC Core 3.1.2.6: the errors for a step that would need a page.
WITHOUT_PAGES = {
    Step.SIGN_IN: Step.LOGIN_REQUIRED,
    Step.CHANGE_PASSWORD: Step.INTERACTION_REQUIRED,
    Step.AGREEMENT: Step.INTERACTION_REQUIRED,
}


def next_step(facts: Facts, now: datetime) -> Step:
    """The first check that holds decides; none left means done."""
    step = next((step for check, step in CHECKS if check(facts, now)), Step.DONE)
    return WITHOUT_PAGES.get(step, step) if "none" in facts.prompt else step


def _older_than_max_age(facts: Facts, now: datetime) -> bool:
    """Whether the last proof is older than the client takes; unknown age is too old."""
    if facts.max_age is None:
        return False
    return facts.authenticated_at is None or now - facts.authenticated_at > timedelta(seconds=facts.max_age)
