"""Who is mailed about what they have forgotten (4.2, 4.3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.recovery import Addresses, Answer, Asked, Forgotten, RecoveryRules, answer

RULES = RecoveryRules(mails=3)
SOMEBODY = Asked(is_open=True, activated=True, has_address=True, mails=0)


@pytest.mark.parametrize("forgotten", Forgotten)
def test_an_open_account_with_an_address_is_mailed_some_times_an_hour(forgotten: Forgotten) -> None:
    verdicts = [answer(forgotten, replace(SOMEBODY, mails=mails), RULES) for mails in range(5)]
    assert verdicts == [Answer.MAIL] * 3 + [Answer.ENOUGH] * 2


@pytest.mark.parametrize("forgotten", Forgotten)
def test_closed_accounts_and_those_without_an_address_get_nothing(forgotten: Forgotten) -> None:
    assert answer(forgotten, replace(SOMEBODY, is_open=False), RULES) is Answer.CLOSED
    assert answer(forgotten, replace(SOMEBODY, has_address=False), RULES) is Answer.NO_ADDRESS


def test_a_first_password_comes_by_the_link_of_the_officer_alone_but_its_login_may_be_asked_for() -> None:
    newcomer = replace(SOMEBODY, activated=False)
    assert answer(Forgotten.PASSWORD, newcomer, RULES) is Answer.NOT_ACTIVATED
    assert answer(Forgotten.LOGIN, newcomer, RULES) is Answer.MAIL


@pytest.mark.parametrize(
    ("personal", "kinds", "entered", "used"),
    [
        ("a@example.org", {"student"}, "aida", "a@example.org"),
        ("a@example.org", {"student"}, "a@kstu.kg", "a@kstu.kg"),
        (None, {"student", "employee"}, "aida", "a@kstu.kg"),
        ("a@example.org", {"employee"}, "a@kstu.kg", "a@example.org"),
        (None, {"employee"}, "aida", None),
    ],
)
def test_students_may_be_mailed_at_the_universitys_address(
    personal: str | None, kinds: set[str], entered: str, used: str | None
) -> None:
    assert Addresses(personal, "a@kstu.kg", frozenset(kinds)).to_use(entered, RULES) == used
    assert Addresses(personal, None, frozenset(kinds)).to_use(entered, RULES) == personal, "without a mailbox"


@given(
    forgotten=st.sampled_from(Forgotten), is_open=st.booleans(), activated=st.booleans(), has_address=st.booleans(),
    mails=st.integers(0, 10),
)  # fmt: skip
def test_a_mail_goes_only_to_an_open_account_with_an_address_and_never_more_than_the_rules_let(
    forgotten: Forgotten, is_open: bool, activated: bool, has_address: bool, mails: int
) -> None:
    if answer(forgotten, Asked(is_open, activated, has_address, mails), RULES) is Answer.MAIL:
        assert is_open and has_address and mails < RULES.mails
        assert activated or forgotten is Forgotten.LOGIN


@given(
    personal=st.none() | st.emails(), corporate=st.none() | st.emails(), entered=st.text(max_size=30),
    kinds=st.sets(st.sampled_from(["student", "employee"])),
)  # fmt: skip
def test_only_addresses_of_the_account_are_used_and_who_has_a_personal_one_is_always_reached(
    personal: str | None, corporate: str | None, entered: str, kinds: set[str]
) -> None:
    used = Addresses(personal, corporate, frozenset(kinds)).to_use(entered, RULES)
    assert used in (personal, corporate)
    assert personal is None or used is not None
    assert "student" in kinds or used == personal
