"""The next step of a sign-in: a list of checks from top to bottom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.assurance import BEST, MULTI_FACTOR, SINGLE_FACTOR
from policies.interaction import WITHOUT_PAGES, Facts, Step, next_step

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
READY = Facts(
    signed_in=True, account_open=True, must_change_password=False, agreement_accepted=True, client_allowed=True,
    is_expected=True, amr=frozenset({"pwd"}), has_factor=False, factor_required=False,
    acr_needed=frozenset(), consent_given_at=EARLIER, consent_needed=True,
    account_chosen=False, prompt=frozenset(), authenticated_at=EARLIER, max_age=None, requested_at=NOW,
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2026, 9, 6), datetime(2026, 9, 8), timezones=st.just(UTC))
FACTS = st.builds(
    Facts, signed_in=st.booleans(), account_open=st.booleans(), must_change_password=st.booleans(),
    agreement_accepted=st.booleans(), client_allowed=st.booleans(), is_expected=st.booleans(),
    amr=st.frozensets(st.sampled_from(["pwd", "otp", "mfa"])),
    has_factor=st.booleans(), factor_required=st.booleans(),
    acr_needed=st.frozensets(st.sampled_from([SINGLE_FACTOR, MULTI_FACTOR, "urn:other"])),
    consent_given_at=st.none() | MOMENTS, consent_needed=st.booleans(), account_chosen=st.booleans(),
    prompt=st.frozensets(st.sampled_from(["none", "login", "consent", "select_account"])),
    authenticated_at=st.none() | MOMENTS, max_age=st.none() | st.integers(0, 90000), requested_at=MOMENTS,
)  # fmt: skip


def asked(*prompts: str) -> dict[str, object]:
    return {"prompt": frozenset(prompts)}


def test_who_has_done_everything_is_done() -> None:
    assert next_step(READY, NOW) is Step.DONE


@pytest.mark.parametrize(
    ("change", "step", "without_pages"),
    [
        ({"signed_in": False}, Step.SIGN_IN, Step.LOGIN_REQUIRED),
        ({"account_open": False}, Step.DENIED, Step.DENIED),
        ({"must_change_password": True}, Step.CHANGE_PASSWORD, Step.INTERACTION_REQUIRED),
        ({"agreement_accepted": False}, Step.AGREEMENT, Step.INTERACTION_REQUIRED),
        ({"client_allowed": False}, Step.DENIED, Step.DENIED),
        ({"max_age": 60}, Step.SIGN_IN, Step.LOGIN_REQUIRED),
        ({"max_age": 60, "authenticated_at": None}, Step.SIGN_IN, Step.LOGIN_REQUIRED),
        ({"max_age": 3600}, Step.DONE, Step.DONE),
        ({"is_expected": False}, Step.SIGN_IN, Step.LOGIN_REQUIRED),
        ({"is_expected": False, "authenticated_at": NOW}, Step.OTHER_PERSON, Step.OTHER_PERSON),
        ({"acr_needed": frozenset({MULTI_FACTOR})}, Step.ENROL_FACTOR, Step.UNMET_AUTHENTICATION),
        ({"acr_needed": frozenset({MULTI_FACTOR}), "has_factor": True}, Step.SECOND_FACTOR, Step.LOGIN_REQUIRED),
        ({"acr_needed": frozenset({MULTI_FACTOR}), "has_factor": True, "amr": frozenset(BEST)}, Step.DONE, Step.DONE),
        ({"has_factor": True}, Step.SECOND_FACTOR, Step.LOGIN_REQUIRED),
        ({"factor_required": True}, Step.ENROL_FACTOR, Step.UNMET_AUTHENTICATION),
        ({"factor_required": True, "amr": frozenset(BEST)}, Step.ENROL_FACTOR, Step.UNMET_AUTHENTICATION),
        ({"acr_needed": frozenset({SINGLE_FACTOR})}, Step.DONE, Step.DONE),
        ({"acr_needed": frozenset({"urn:other"})}, Step.UNMET_AUTHENTICATION, Step.UNMET_AUTHENTICATION),
        ({"consent_given_at": None}, Step.CONSENT, Step.CONSENT_REQUIRED),
        ({"consent_given_at": None, "consent_needed": False}, Step.DONE, Step.DONE),
    ],
)
def test_what_is_missing_is_the_next_step(change: dict[str, object], step: Step, without_pages: Step) -> None:
    facts = replace(READY, **change)  # type: ignore[arg-type]
    assert next_step(facts, NOW) is step
    assert next_step(replace(facts, prompt=frozenset({"none"})), NOW) is without_pages


@pytest.mark.parametrize("wish", [asked("login"), {"max_age": 0}])
def test_a_fresh_sign_in_is_asked_once_and_then_believed(wish: dict[str, object]) -> None:
    before = replace(READY, **wish)  # type: ignore[arg-type]
    assert next_step(before, NOW) is Step.SIGN_IN
    after = replace(before, authenticated_at=NOW)
    assert next_step(after, NOW + timedelta(minutes=1)) is Step.DONE


def test_a_fresh_sign_in_of_unknown_age_is_not_believed() -> None:
    assert next_step(replace(READY, prompt=frozenset({"login"}), authenticated_at=None), NOW) is Step.SIGN_IN


@pytest.mark.parametrize("answer", [{"account_chosen": True}, {"authenticated_at": NOW}])
def test_which_account_is_asked_until_it_is_chosen_or_somebody_signs_in(answer: dict[str, object]) -> None:
    before = replace(READY, prompt=frozenset({"select_account"}))
    assert next_step(before, NOW) is Step.CHOOSE_ACCOUNT
    assert next_step(replace(before, **answer), NOW) is Step.DONE  # type: ignore[arg-type]


@pytest.mark.parametrize("needed", [True, False])
def test_a_client_may_have_consent_asked_again_even_one_of_the_house(needed: bool) -> None:
    before = replace(READY, prompt=frozenset({"consent"}), consent_needed=needed)
    assert next_step(before, NOW) is Step.CONSENT
    assert next_step(replace(before, consent_given_at=None), NOW) is Step.CONSENT
    assert next_step(replace(before, consent_given_at=NOW), NOW) is Step.DONE


def test_the_steps_come_in_their_order() -> None:
    nothing = replace(
        READY, signed_in=False, is_expected=False, must_change_password=True, agreement_accepted=False,
        has_factor=True, factor_required=True, acr_needed=frozenset({"urn:other"}), client_allowed=False,
        consent_given_at=None,
        prompt=frozenset({"select_account"}), authenticated_at=None,
    )  # fmt: skip
    order = [nothing]
    for done in (
        {"signed_in": True, "authenticated_at": NOW}, {"is_expected": True, "authenticated_at": EARLIER},
        {"amr": frozenset(BEST)}, {"account_chosen": True}, {"acr_needed": frozenset({MULTI_FACTOR})},
        {"must_change_password": False},
        {"has_factor": False, "agreement_accepted": True}, {"has_factor": True}, {"client_allowed": True},
        {"consent_given_at": NOW},
    ):  # fmt: skip
        order.append(replace(order[-1], **done))
    assert [next_step(facts, NOW) for facts in order] == [
        Step.SIGN_IN, Step.OTHER_PERSON, Step.SECOND_FACTOR, Step.CHOOSE_ACCOUNT, Step.UNMET_AUTHENTICATION,
        Step.CHANGE_PASSWORD, Step.AGREEMENT, Step.ENROL_FACTOR, Step.DENIED, Step.CONSENT, Step.DONE,
    ]  # fmt: skip


@given(FACTS)
def test_nobody_is_done_with_anything_missing(facts: Facts) -> None:
    if next_step(facts, NOW) is not Step.DONE:
        return
    assert facts.signed_in and facts.account_open and facts.agreement_accepted and facts.client_allowed
    assert facts.is_expected and not facts.must_change_password
    fresh = facts.authenticated_at is not None and facts.authenticated_at >= facts.requested_at
    assert fresh or "login" not in facts.prompt
    assert fresh or facts.account_chosen or "select_account" not in facts.prompt
    agreed_since = facts.consent_given_at is not None and facts.consent_given_at >= facts.requested_at
    assert agreed_since or "consent" not in facts.prompt
    assert facts.consent_given_at is not None or not facts.consent_needed
    assert "mfa" in facts.amr or not facts.has_factor
    assert facts.has_factor or not facts.factor_required
    assert facts.acr_needed != {MULTI_FACTOR} or "mfa" in facts.amr


@given(FACTS)
def test_a_client_that_forbids_pages_never_gets_one(facts: Facts) -> None:
    silent = replace(facts, prompt=facts.prompt | {"none"})
    assert next_step(silent, NOW) not in WITHOUT_PAGES
