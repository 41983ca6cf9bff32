"""Who may do what to whom: one table.  Regulation 3.1, 3.2, 4.4, 5.7, 6.7; nobody acts on their own account.

Owns the table and the tiny predicates it is made of.  Leaves alone where appointments come from.  Deny by default: an
act is allowed when one current appointment satisfies every predicate of one clause; an act without a row is an error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    """A dated appointment; `until` is the first moment it no longer counts, None in a scope means everything."""

    role: str  # officer, admin, hr, security
    department: str | None
    system: str | None
    from_: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Who:
    """The account that wants to act."""

    account_id: str
    appointments: tuple[Appointment, ...]


@dataclass(frozen=True, slots=True)
class Whom:
    """The account acted upon, the departments of its person, and the system the act is about."""

    account_id: str | None
    departments: frozenset[str]
    system: str | None


Predicate = Callable[[Appointment, Who, Whom], bool]
Clause = tuple[Predicate, ...]


def officer(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """Appointed responsible for a system and a department.  Regulation 3.1."""
    return appointment.role == "officer"


def admin(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """ООЦИ, the technical lead of all systems.  Regulation 3.1."""
    return appointment.role == "admin"


def hr(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """The HR department.  Regulation 3.2, 3.4."""
    return appointment.role == "hr"


def security(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """The security officer, appointed by the rector.  Regulation 3.1."""
    return appointment.role == "security"


def of_the_department(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """The person works or studies where the appointment reaches."""
    return appointment.department is None or appointment.department in whom.departments


def of_the_system(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """The act is about a system the appointment reaches."""
    return appointment.system is None or appointment.system == whom.system


def not_oneself(appointment: Appointment, who: Who, whom: Whom) -> bool:
    """Nobody may do to their own account what needs an officer."""
    return who.account_id != whom.account_id


PERMISSIONS: Mapping[str, tuple[Clause, ...]] = {
    "lift-lockout": ((officer, of_the_department, not_oneself), (admin, not_oneself)),
    "confirm-task": ((officer, of_the_department, of_the_system, not_oneself), (admin, not_oneself)),
    "decide-access": ((officer, of_the_department, of_the_system, not_oneself), (admin, not_oneself)),
    "issue-activation": ((officer, of_the_department, not_oneself), (admin, not_oneself)),
    "reset-factors": ((officer, of_the_department, not_oneself), (admin, not_oneself)),
    "appoint-officer": ((admin, not_oneself),),
    "register-client": ((admin,),),
    "see-desk": ((officer,), (admin,)),
    "see-people": ((officer,), (hr,), (security,), (admin,)),
    "see-person": ((officer, of_the_department), (hr,), (security,), (admin,)),
    "see-order": ((hr,), (admin,)),
    "import-orders": ((hr,), (admin,)),
    "release-order": ((hr, not_oneself), (admin, not_oneself)),
    "confirm-change": ((hr, not_oneself), (admin, not_oneself)),
    "handle-misuse": ((security, not_oneself), (admin, not_oneself)),
    "reconcile": ((admin,),),
    "read-audit": ((security,), (admin,)),
}


def may(act: str, who: Who, whom: Whom, now: datetime) -> bool:
    """Whether `who` may do this to `whom` now; KeyError for an act that no row knows."""
    clauses = PERMISSIONS[act]
    current = [appointment for appointment in who.appointments if is_current(appointment, now)]
    return any(_satisfies(appointment, clause, who, whom) for appointment in current for clause in clauses)


def _satisfies(appointment: Appointment, clause: Clause, who: Who, whom: Whom) -> bool:
    """One appointment must carry the whole clause: two halves of two appointments make no right."""
    return all(predicate(appointment, who, whom) for predicate in clause)


def is_current(appointment: Appointment, now: datetime) -> bool:
    """Begun and not over."""
    return appointment.from_ <= now and (appointment.until is None or now < appointment.until)
