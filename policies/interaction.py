"""The next step of a sign-in, decided in one place.  Regulation 5.1, 5.4, 6.2; OIDC Core 3.1.2.1, 3.1.2.3.

Owns the order of the steps.  Leaves alone how a step is carried out: each page does its one thing and comes back here.
A new requirement is a fact and a row of `CHECKS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from policies.assurance import BEST, satisfies


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision rests on; moments in UTC, `max_age` in seconds."""

    signed_in: bool
    account_open: bool
    must_change_password: bool
    agreement_accepted: bool
    client_allowed: bool  # policy grants this account the client's system; True without a client
    is_expected: bool  # the account the client named (id_token_hint, claim sub); True when it named none
    amr: frozenset[str]  # how the person proved themselves (RFC 8176)
    has_factor: bool  # a second factor is enrolled
    factor_required: bool  # this account must have one (`factors`)
    acr_needed: frozenset[str]  # classes of which one must be reached; empty: any will do
    consent_given_at: datetime | None  # to all that the client asks for; None: something is left to ask
    consent_needed: bool  # whether this client asks at all (first-party systems don't)
    account_chosen: bool  # the person said in this request that the signed-in account is the right one
    prompt: frozenset[str]
    authenticated_at: datetime | None
    max_age: int | None
    requested_at: datetime


class Step(Enum):
    """What happens next; from LOGIN_REQUIRED on they are answers to the client instead of pages."""

    SIGN_IN = "sign-in"
    SECOND_FACTOR = "second-factor"
    CHANGE_PASSWORD = "change-password"
    AGREEMENT = "agreement"
    ENROL_FACTOR = "enrol-factor"
    CHOOSE_ACCOUNT = "choose-account"
    CONSENT = "consent"
    DENIED = "denied"
    DONE = "done"
    LOGIN_REQUIRED = "login-required"
    INTERACTION_REQUIRED = "interaction-required"
    CONSENT_REQUIRED = "consent-required"
    ACCOUNT_SELECTION_REQUIRED = "account-selection-required"
    OTHER_PERSON = "other-person"
    UNMET_AUTHENTICATION = "unmet-authentication"


Check = Callable[[Facts, datetime], bool]


def nobody_is_signed_in(facts: Facts, now: datetime) -> bool:
    """No session."""
    return not facts.signed_in


def a_fresh_sign_in_is_asked_for(facts: Facts, now: datetime) -> bool:
    """The client asked for the person to prove themselves again, and they have not since."""
    asked = "login" in facts.prompt or _older_than_max_age(facts, now)
    return asked and not _signed_in_since(facts)


def somebody_else_was_expected(facts: Facts, now: datetime) -> bool:
    """The client named another account, and the person has not signed in since.  OIDC Core 3.1.2.1."""
    return not facts.is_expected and not _signed_in_since(facts)


def somebody_else_came(facts: Facts, now: datetime) -> bool:
    """The client named another account than the one that signed in for it.  OIDC Core 3.1.2.2."""
    return not facts.is_expected


def the_account_is_not_chosen(facts: Facts, now: datetime) -> bool:
    """The client wants the person to say which account it is, and they have not.  OIDC Core 3.1.2.1."""
    return "select_account" in facts.prompt and not facts.account_chosen and not _signed_in_since(facts)


def the_second_factor_is_missing(facts: Facts, now: datetime) -> bool:
    """Who has enrolled one gives it at each sign-in.  Regulation 5.7; ASVS 6.3.3."""
    return facts.has_factor and "mfa" not in facts.amr


def no_proof_is_strong_enough(facts: Facts, now: datetime) -> bool:
    """The client needs a class of authentication that nobody can reach here.  OIDC Core 5.5.1.1."""
    return bool(facts.acr_needed) and not satisfies(BEST, facts.acr_needed)


def a_factor_must_be_enrolled(facts: Facts, now: datetime) -> bool:
    """The account must have one, or the client needs one, and there is none.  OIDC Core 5.5.1.1."""
    too_weak = bool(facts.acr_needed) and not satisfies(facts.amr, facts.acr_needed)
    return too_weak or (facts.factor_required and not facts.has_factor)


def the_consent_is_missing(facts: Facts, now: datetime) -> bool:
    """Something the client asks for was not agreed to, or it wants to be agreed to again.  OIDC Core 3.1.2.4."""
    if "consent" in facts.prompt:
        return facts.consent_given_at is None or facts.consent_given_at < facts.requested_at
    return facts.consent_needed and facts.consent_given_at is None


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
    (somebody_else_was_expected, Step.SIGN_IN),
    (somebody_else_came, Step.OTHER_PERSON),
    (the_account_is_closed, Step.DENIED),
    (the_second_factor_is_missing, Step.SECOND_FACTOR),
    (the_account_is_not_chosen, Step.CHOOSE_ACCOUNT),
    (no_proof_is_strong_enough, Step.UNMET_AUTHENTICATION),
    (the_password_must_change, Step.CHANGE_PASSWORD),
    (the_agreement_is_missing, Step.AGREEMENT),
    (a_factor_must_be_enrolled, Step.ENROL_FACTOR),
    (the_system_is_not_granted, Step.DENIED),
    (the_consent_is_missing, Step.CONSENT),
)

# OIDC Core 3.1.2.6: the errors for a step that would need a page.
WITHOUT_PAGES = {
    Step.SIGN_IN: Step.LOGIN_REQUIRED,
    Step.SECOND_FACTOR: Step.LOGIN_REQUIRED,
    Step.CHANGE_PASSWORD: Step.INTERACTION_REQUIRED,
    Step.AGREEMENT: Step.INTERACTION_REQUIRED,
    Step.ENROL_FACTOR: Step.UNMET_AUTHENTICATION,
    Step.CHOOSE_ACCOUNT: Step.ACCOUNT_SELECTION_REQUIRED,
    Step.CONSENT: Step.CONSENT_REQUIRED,
}


def next_step(facts: Facts, now: datetime) -> Step:
    """The first check that holds decides; none left means done."""
    step = next((step for check, step in CHECKS if check(facts, now)), Step.DONE)
    return WITHOUT_PAGES.get(step, step) if "none" in facts.prompt else step


def _signed_in_since(facts: Facts) -> bool:
    """Whether the person signed in for this very request."""
    return facts.authenticated_at is not None and facts.authenticated_at >= facts.requested_at


def _older_than_max_age(facts: Facts, now: datetime) -> bool:
    """Whether the last proof is older than the client takes; unknown age is too old."""
    if facts.max_age is None:
        return False
    return facts.authenticated_at is None or now - facts.authenticated_at > timedelta(seconds=facts.max_age)
