"""Why a system is not open to somebody."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.access import SystemRule
from policies.affiliations import Kind
from policies.denial import Belonging, Reason, reason

EMPLOYEE, STUDENT = Belonging(Kind.EMPLOYEE, "0407"), Belonging(Kind.STUDENT, None)
LEARNER = Belonging(Kind.LEARNER, None)
DEAN = Belonging(Kind.EMPLOYEE, "0407", position="декан", position_code="DEAN")

FOR_OTHERS = {Reason.EMPLOYEES_ONLY, Reason.STUDENTS_ONLY, Reason.OTHER_AUDIENCE}


def rule(audience: str = "employee student", departments: str = "", on_request: bool = False) -> SystemRule:
    return SystemRule(
        "zoom", frozenset(audience.split()), frozenset(departments.split()), frozenset(), on_request, False
    )


@pytest.mark.parametrize(
    ("system", "belongings", "why"),
    [
        (None, [EMPLOYEE], Reason.NO_ACCESS),
        (rule("employee"), [], Reason.NO_ACCESS),
        (rule("employee"), [STUDENT], Reason.EMPLOYEES_ONLY),
        (rule("student"), [EMPLOYEE], Reason.STUDENTS_ONLY),
        (rule(), [LEARNER], Reason.OTHER_AUDIENCE),
        (rule("learner"), [EMPLOYEE], Reason.OTHER_AUDIENCE),
        (rule(departments="HR"), [EMPLOYEE, STUDENT], Reason.OTHER_DEPARTMENT),
        (rule("student", departments="0407"), [EMPLOYEE, STUDENT], Reason.OTHER_DEPARTMENT),
        (replace(rule(), positions=frozenset({"DEAN"})), [EMPLOYEE], Reason.OTHER_POSITION),
        (replace(rule(), positions=frozenset({"DEAN"})), [DEAN], Reason.NO_ACCESS),
        (replace(rule(), programmes=frozenset({"710100"})), [STUDENT], Reason.OTHER_PROGRAMME),
        (replace(rule(), programmes=frozenset({"710100"})), [replace(STUDENT, programme="710100")], Reason.NO_ACCESS),
        (rule(on_request=True), [STUDENT], Reason.ON_REQUEST),
        (rule(departments="0407", on_request=True), [EMPLOYEE], Reason.ON_REQUEST),
        (rule(), [EMPLOYEE], Reason.NO_ACCESS),
    ],
)
def test_the_nearest_reason_is_named(system: SystemRule | None, belongings: list[Belonging], why: Reason) -> None:
    assert reason(system, belongings, had_access=False) is why
    assert reason(system, belongings, had_access=True) is Reason.ENDED
    on_leave = [*belongings, Belonging(Kind.EMPLOYEE, "0407", on_leave=True)]
    assert reason(system, on_leave, had_access=True) is Reason.ON_LEAVE
    assert reason(system, on_leave, had_access=True, forbidden=True) is Reason.FORBIDDEN


@given(
    audience=st.sets(st.sampled_from(["employee", "student", "learner"]), min_size=1),
    departments=st.sets(st.sampled_from(["0407", "HR"])),
    on_request=st.booleans(),
    belongings=st.lists(st.sampled_from([EMPLOYEE, STUDENT, LEARNER, Belonging(Kind.EMPLOYEE, "HR")]), max_size=3),
)
def test_nobody_is_told_that_a_system_is_for_others_who_belongs_to_its_audience(
    audience: set[str], departments: set[str], on_request: bool, belongings: list[Belonging]
) -> None:
    system = rule(" ".join(audience), " ".join(departments), on_request)
    fitting = [one for one in belongings if one.kind.value in audience]
    why = reason(system, belongings, had_access=False)
    assert (why in FOR_OTHERS) == (bool(belongings) and not fitting)
    if why is Reason.OTHER_DEPARTMENT:
        assert all(one.department not in departments for one in fitting)
