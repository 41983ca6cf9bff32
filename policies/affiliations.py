"""What a person is to the university: employments, studies and contracts of learners.  Regulation 3.2, 3.6, 3.7, S2-5.

Owns the words: an order's line, an affiliation, and what all orders of a person add up to.  Leaves alone how they add
up (`folding`, `chains`) and what an affiliation entitles to (`access`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal

OPENING = frozenset({"hire", "reinstatement", "student_enrolment", "student_reinstatement", "learner_contract"})
"""The kinds of orders that begin an affiliation, and may name a person we do not know yet."""

ENDING = frozenset({"dismissal", "student_expulsion", "student_graduation", "learner_contract_end"})
"""The kinds that end one: their day is the last."""


class Kind(Enum):
    """The ways of belonging to the university."""

    EMPLOYEE = "employee"
    STUDENT = "student"
    LEARNER = "learner"  # on an extension course, or from outside: for the term of a contract, S2-5


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One person's line of the newest version of an order; `body` is the person object of the orders schema."""

    source: str
    order_id: str
    version: int
    kind: str  # as in the schema: hire, transfer ...
    status: Literal["approved", "cancelled"]
    number: str
    approved_on: date
    effective_on: date | None  # local days; absent only from cancelled orders
    effective_until: date | None
    immediate: bool
    line: str
    body: Mapping[str, Any]
    received_at: datetime  # UTC


OrderVersion = tuple[str, int]  # order_id, version


@dataclass(frozen=True, slots=True)
class Leave:
    """Days on which somebody is away from an employment or a study, both inclusive; without `ends_on` until a return."""

    type: str  # as in the schema: annual, childcare, academic ...
    starts_on: date
    ends_on: date | None
    keep_access: bool | None  # what the order says of it, if anything
    ordered_by: OrderVersion


@dataclass(frozen=True, slots=True)
class Affiliation:
    """One employment or study, unchanged from `starts_on` to `ends_on`, both inclusive local days."""

    kind: Kind
    department: str | None  # code; of a student: the faculty, where the order names it
    position: str | None  # title
    position_code: str | None
    programme: str | None  # code; of a learner: of the course
    group: str | None
    employment_id: str | None
    rate: float | None  # 1.0 is full time
    employment_type: str | None
    programs: tuple[str, ...]  # wishes of the order, sorted
    report_sections: tuple[str, ...]
    starts_on: date
    ends_on: date | None
    ended_at: datetime | None  # UTC; only when an order ended it at once
    opened_by: OrderVersion
    closed_by: OrderVersion | None  # None also while it merely runs out
    leaves: tuple[Leave, ...] = ()  # in the order in which they take effect


@dataclass(frozen=True, slots=True)
class Note:
    """A line that could not be applied and waits for a person.

    Codes: unknown-affiliation, ambiguous-affiliation, unknown-kind,
    ends-before-it-begins.
    """

    order_id: str
    version: int
    line: str
    code: str


@dataclass(frozen=True, slots=True)
class Folded:
    """The outcome of all orders: affiliations by first day, the latest name and contacts, what a person must look at.

    `names`: family, given, patronymic, latin_family, latin_given.  `contacts`: work_phone, work_phone_extension,
    mobile_phone, personal_email.  Keys nothing is known of are absent; a patronymic of None means there is none.
    `home_address`: as the orders schema has it; empty when an order takes it back, None when none ever told it.
    `said`: for each name, contact and the home address, when the order that said it last was approved and received.
    `pending`: days on which a name or contact already ordered comes into force; fold again then.
    """

    affiliations: tuple[Affiliation, ...]
    names: Mapping[str, str | None]
    contacts: Mapping[str, str]
    notes: tuple[Note, ...]
    pending: tuple[date, ...] = ()
    home_address: Mapping[str, str] | None = None
    said: Mapping[str, tuple[date, datetime]] = field(default_factory=dict)
