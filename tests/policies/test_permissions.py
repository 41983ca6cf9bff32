"""The table of acts: who may, who may not, and nobody on themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.permissions import PERMISSIONS, Appointment, Who, Whom, may

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def who(role: str, department: str | None = None, system: str | None = None) -> Who:
    return Who("me", (Appointment(role, department, system, NOW - DAY, NOW + DAY),))


AIDA = Whom("aida", frozenset({"0407", "FIT"}), "moodle")
MYSELF = Whom("me", frozenset({"0407"}), "moodle")
EVERY_ACT = sorted(PERMISSIONS)
LOOK_UP = {"see-people", "see-person"}


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (
            "officer",
            {"lift-lockout", "confirm-task", "issue-activation", "reset-factors", "decide-access", "see-desk"}
            | LOOK_UP,
        ),
        ("admin", set(EVERY_ACT)),
        ("hr", {"see-order", "import-orders", "release-order", "confirm-change"} | LOOK_UP),
        ("security", {"read-audit", "handle-misuse"} | LOOK_UP),
        ("student", set()),
    ],
)
def test_each_role_may_do_its_own_acts_and_no_other(role: str, acts: set[str]) -> None:
    assert {act for act in EVERY_ACT if may(act, who(role), AIDA, NOW)} == acts


@pytest.mark.parametrize(
    "act",
    [
        "lift-lockout",
        "confirm-task",
        "issue-activation",
        "appoint-officer",
        "handle-misuse",
        "confirm-change",
        "decide-access",
    ],
)
@pytest.mark.parametrize("role", ["officer", "admin", "security", "hr"])
def test_nobody_does_to_themselves_what_needs_an_officer(act: str, role: str) -> None:
    assert not may(act, who(role), MYSELF, NOW)


@pytest.mark.parametrize("act", EVERY_ACT)
def test_without_an_appointment_nothing_is_allowed(act: str) -> None:
    assert not may(act, Who("me", ()), AIDA, NOW)


@pytest.mark.parametrize("act", ["lift-lockout", "confirm-task", "decide-access", "issue-activation", "see-person"])
def test_an_officer_acts_in_their_own_department_only(act: str) -> None:
    assert may(act, who("officer", department="0407"), AIDA, NOW)
    assert not may(act, who("officer", department="0112"), AIDA, NOW)
    assert not may(act, who("officer", department="0407"), Whom("aida", frozenset(), "moodle"), NOW)


@pytest.mark.parametrize("act", ["confirm-task", "decide-access"])
def test_an_officer_acts_on_their_own_system_only(act: str) -> None:
    assert may(act, who("officer", system="moodle"), AIDA, NOW)
    assert not may(act, who("officer", system="mail"), AIDA, NOW)
    assert not may(act, who("officer", system="mail"), Whom("aida", AIDA.departments, None), NOW)


def test_two_halves_of_two_appointments_make_no_right() -> None:
    halves = who("officer", "0407", "mail").appointments + who("officer", "0112", "moodle").appointments
    assert not may("confirm-task", Who("me", halves), AIDA, NOW)


def test_an_appointment_counts_from_its_first_moment_until_its_last() -> None:
    admin = who("admin")
    assert may("read-audit", admin, AIDA, NOW - DAY)
    assert not may("read-audit", admin, AIDA, NOW - DAY - timedelta.resolution)
    assert not may("read-audit", admin, AIDA, NOW + DAY)
    forever = Who("me", (Appointment("admin", None, None, NOW, None),))
    assert may("read-audit", forever, AIDA, NOW + 9999 * DAY)


def test_a_lock_on_a_login_that_nobody_has_is_lifted_by_an_admin_only() -> None:
    nobody = Whom(None, frozenset(), None)
    assert may("lift-lockout", who("admin"), nobody, NOW)
    assert not may("lift-lockout", who("officer", "0407"), nobody, NOW)


def test_an_act_without_a_row_is_an_error_and_not_a_refusal() -> None:
    with pytest.raises(KeyError):
        may("delete-everything", who("admin"), AIDA, NOW)


APPOINTMENTS = st.lists(
    st.builds(
        Appointment,
        role=st.sampled_from(["officer", "admin", "hr", "security", "rector"]),
        department=st.none() | st.sampled_from(["0407", "0112"]),
        system=st.none() | st.sampled_from(["moodle", "unet"]),
        from_=st.integers(-3, 3).map(lambda days: NOW + days * DAY),
        until=st.none() | st.integers(-3, 3).map(lambda days: NOW + days * DAY),
    ),
    max_size=4,
)
FOR_ONESELF = {
    "import-orders",
    "register-client",
    "reconcile",
    "see-desk",
    "see-order",
    "read-audit",
} | LOOK_UP  # acts that are about nobody


@given(act=st.sampled_from(EVERY_ACT), appointments=APPOINTMENTS)
def test_nobody_acts_on_the_own_account_whatever_the_appointments(act: str, appointments: list[Appointment]) -> None:
    assert act in FOR_ONESELF or not may(act, Who("me", tuple(appointments)), MYSELF, NOW)


@given(act=st.sampled_from(EVERY_ACT), appointments=APPOINTMENTS, more=APPOINTMENTS)
def test_another_appointment_never_takes_a_right_and_a_past_one_never_gives_one(
    act: str, appointments: list[Appointment], more: list[Appointment]
) -> None:
    before = may(act, Who("me", tuple(appointments)), AIDA, NOW)
    assert not before or may(act, Who("me", (*appointments, *more)), AIDA, NOW)
    over = [one for one in more if one.until is not None and one.until <= NOW]
    assert may(act, Who("me", (*appointments, *over)), AIDA, NOW) == before
