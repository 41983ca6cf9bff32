"""The next step of a sign-in: a list of checks from top to bottom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.interaction import Facts, Step, next_step

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
READY = Facts(
    signed_in=True, account_open=True, must_change_password=False, agreement_accepted=True, client_allowed=True,
    prompt=frozenset(), authenticated_at=NOW - timedelta(hours=1), max_age=None, requested_at=NOW,
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2026, 9, 6), datetime(2026, 9, 8), timezones=st.just(UTC))
FACTS = st.builds(
    Facts, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(),
    st.frozensets(st.sampled_from(["none", "login", "consent", "select_account"])), st.none() | MOMENTS,
    st.none() | st.integers(0, 90000), MOMENTS,
)  # fmt: skip


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
    ],
)
def test_what_is_missing_is_the_next_step(change: dict[str, object], step: Step, without_pages: Step) -> None:
    facts = replace(READY, **change)  # type: ignore[arg-type]
    assert next_step(facts, NOW) is step
    assert next_step(replace(facts, prompt=frozenset({"none"})), NOW) is without_pages


@pytest.mark.parametrize("asked", [{"prompt": frozenset({"login"})}, {"max_age": 0}])
def test_a_fresh_sign_in_is_asked_once_and_then_believed(asked: dict[str, object]) -> None:
    before = replace(READY, **asked)  # type: ignore[arg-type]
    assert next_step(before, NOW) is Step.SIGN_IN
    after = replace(before, authenticated_at=NOW)
    assert next_step(after, NOW + timedelta(minutes=1)) is Step.DONE


def test_a_fresh_sign_in_of_unknown_age_is_not_believed() -> None:
    assert next_step(replace(READY, prompt=frozenset({"login"}), authenticated_at=None), NOW) is Step.SIGN_IN


def test_the_steps_come_in_their_order() -> None:
    nothing = replace(READY, signed_in=False, must_change_password=True, agreement_accepted=False, client_allowed=False)
    order = [nothing]
    for done in ({"signed_in": True}, {"must_change_password": False}, {"agreement_accepted": True},
                 {"client_allowed": True}):  # fmt: skip
        order.append(replace(order[-1], **done))  # type: ignore[arg-type]
    assert [next_step(facts, NOW) for facts in order] == [
        Step.SIGN_IN, Step.CHANGE_PASSWORD, Step.AGREEMENT, Step.DENIED, Step.DONE,
    ]  # fmt: skip


@given(FACTS)
def test_nobody_is_done_with_anything_missing(facts: Facts) -> None:
    if next_step(facts, NOW) is Step.DONE:
        assert facts.signed_in and facts.account_open and facts.agreement_accepted and facts.client_allowed
        assert not facts.must_change_password
        fresh = facts.authenticated_at is not None and facts.authenticated_at >= facts.requested_at
        assert fresh or "login" not in facts.prompt


@given(FACTS)
def test_a_client_that_forbids_pages_never_gets_one(facts: Facts) -> None:
    silent = replace(facts, prompt=facts.prompt | {"none"})
    assert next_step(silent, NOW) not in {Step.SIGN_IN, Step.CHANGE_PASSWORD, Step.AGREEMENT}
