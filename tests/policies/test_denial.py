"""Why a system is not open to somebody."""

import pytest

from policies.access import SystemRule
from policies.affiliations import Kind
from policies.denial import Belonging, Reason, reason

EMPLOYEE, STUDENT = Belonging(Kind.EMPLOYEE, "0407"), Belonging(Kind.STUDENT, None)


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
        (rule(departments="HR"), [EMPLOYEE, STUDENT], Reason.OTHER_DEPARTMENT),
        (rule("student", departments="0407"), [EMPLOYEE, STUDENT], Reason.OTHER_DEPARTMENT),
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
