"""Why a system is not open to somebody, as far as its rule tells.  Regulation 3.2, 3.7, annex (list of systems).

Owns the reasons and their order.  Leaves alone who has access (`access.py`): these are words for those who have none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from policies.access import SystemRule, holds_one_of
from policies.affiliations import Kind


@dataclass(frozen=True, slots=True)
class Belonging:
    """One employment or study that lasts."""

    kind: Kind
    department: str | None  # code
    on_leave: bool = False
    position_code: str | None = None
    position: str | None = None  # title
    programme: str | None = None  # code


class Reason(Enum):
    """The nearest reason; each has its sentence on the page."""

    FORBIDDEN = "forbidden"  # by an officer, 6.7
    ON_LEAVE = "on-leave"  # there is access again afterwards
    ENDED = "ended"  # there was access once
    EMPLOYEES_ONLY = "employees-only"
    STUDENTS_ONLY = "students-only"
    OTHER_AUDIENCE = "other-audience"  # not for what the person is here
    OTHER_DEPARTMENT = "other-department"
    OTHER_POSITION = "other-position"
    OTHER_PROGRAMME = "other-programme"
    ON_REQUEST = "on-request"  # only for those whose order names it
    NO_ACCESS = "no-access"  # nothing more is known


ONLY_FOR = {
    frozenset({Kind.EMPLOYEE.value}): Reason.EMPLOYEES_ONLY,
    frozenset({Kind.STUDENT.value}): Reason.STUDENTS_ONLY,
}


def reason(
    rule: SystemRule | None, belongings: Collection[Belonging], had_access: bool, forbidden: bool = False
) -> Reason:
    """Why not; `rule` is None for a system that the profile does not name any more."""
    if forbidden:
        return Reason.FORBIDDEN
    if had_access:
        return Reason.ON_LEAVE if any(one.on_leave for one in belongings) else Reason.ENDED
    if rule is None or not belongings:
        return Reason.NO_ACCESS
    fitting = [one for one in belongings if one.kind.value in rule.audience]
    if not fitting:
        return ONLY_FOR.get(rule.audience, Reason.OTHER_AUDIENCE)
    if rule.departments and not any(one.department in rule.departments for one in fitting):
        return Reason.OTHER_DEPARTMENT
    if rule.positions and not any(holds_one_of(rule.positions, one.position_code, one.position) for one in fitting):
        return Reason.OTHER_POSITION
    if rule.programmes and not any(one.programme in rule.programmes for one in fitting):
        return Reason.OTHER_PROGRAMME
    return Reason.ON_REQUEST if rule.on_request else Reason.NO_ACCESS
