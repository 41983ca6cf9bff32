"""What every connector speaks: the wanted state, what was read back, typed failures, and the protocol itself.

Owns the vocabulary between the service and a target system.  It leaves alone how a difference becomes a change
(`plan.py`), when to try again (`policies/retry.py`) and everything about a particular target.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Protocol, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MANUAL = "manual"
"""The kind of a system without an API: its connector is a person (`kinds.py`)."""
BY_HAND = frozenset({MANUAL, "ekyzmat"})
"""Kinds whose accounts an officer makes and closes: tasks wait for their word.  What can be read there, a scan compares."""

LISTS = frozenset({"programs", "report_sections"})
CANONICAL = LISTS | {
    "login", "email", "given_name", "family_name", "patronymic", "display_name", "department", "department_name",
    "title", "employee_no", "affiliation", "student_group", "phone", "mobile_phone", "duties",
    "home_address", "language",
}  # fmt: skip
"""Every attribute name a `Wanted` or a `Remote` may carry.  `affiliation` is 'employee', 'student' or 'learner';
names in `LISTS` are lists of strings, all others single strings.  `home_address` is a mark that changes with the
address: the address itself never leaves by a connector that has not been made for it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How one account should look in one system."""

    account_id: str  # opaque; the external id in every target
    revision: int  # counts up with each change of the wanted state; an older one never overwrites a newer one
    active: bool
    attributes: Mapping[str, Json]  # canonical names; absent = not ours to say, "" or [] = wanted empty


@dataclass(frozen=True, slots=True)
class Remote:
    """What a target holds for one account, in canonical names, limited to what its connector owns."""

    id: str  # the target's own immutable id
    active: bool
    attributes: Mapping[str, Json]
    account_id: str = ""  # the external id written there; "" = the target knows none (an unmatched account)


@dataclass(frozen=True, slots=True)
class Correlation:
    """What to find an account by.  Login and e-mail are told for messages to people; no connector adopts by them."""

    account_id: str
    remote_id: str | None
    login: str
    email: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do; whatever is missing is shown to the administrator, never skipped in silence."""

    attributes: frozenset[str]  # canonical names this connector writes and reads back (`BY_HAND`: reads)
    end_sessions: bool = False
    verify_password: bool = False  # it keeps passwords of its own, and tells whether one is right (`PasswordKeeper`)
    scan: bool = True
    delete: bool = False  # retention only
    page_max: int = 100  # accounts in one page of a scan
    concurrency: int = 1  # different accounts at one time
    timeout: float = 10.0  # seconds for one call as a whole; the lease of a task is longer
    settle_seconds: float = 0.0  # wait between a change and reading it back


@dataclass(frozen=True, slots=True)
class Health:
    """Answer of `check`: may this connector run, and the reason in a sentence for the administrator."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scan.  It may be empty or longer than asked for; only `cursor is None` means the end."""

    remotes: Sequence[Remote] = field(default_factory=tuple)
    cursor: str | None = None


class OutcomeKind(Enum):
    """Why a call did not do what was asked; decides what the worker does next."""

    RETRYABLE = "retryable"  # nothing happened, later it may
    THROTTLED = "throttled"  # slow the connector down; not an attempt
    AUTH = "auth"  # stop the connector, call an operator
    CONFLICT = "conflict"  # look once whether it was our own earlier try, then a person
    NOT_FOUND = "not-found"  # the remote id is not there (any more)
    PERMANENT = "permanent"  # asking again changes nothing
    UNKNOWN = "unknown"  # it may have happened: find first, never repeat blindly


class TargetError(Exception):
    """The one exception of this layer.  `detail` never carries personal data or secrets: it is stored and shown."""

    def __init__(self, kind: OutcomeKind, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{kind.value}: {detail}")
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after  # seconds, as the target asked


class Connector(Protocol):
    """Primitives against one target; no planning, no retry.  Every method but `check` raises only `TargetError`.

    `op` is the id of the operation for the logs of both sides, and the idempotency key where a target knows one.
    """

    kind: ClassVar[str]

    @property
    def capabilities(self) -> Capabilities: ...

    def check(self) -> Health:
        """Credentials, rights, version; reads only and never raises."""

    def find(self, key: Correlation) -> Remote | None:
        """By remote id, then by external id (`account_id`).  More than one with the external id is a CONFLICT."""

    def create(self, wanted: Wanted, op: str) -> Remote:
        """CONFLICT when the external id, the login or the address is taken already."""

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        """Write just these attributes; 'active' (a boolean) may be one of them."""

    def scan(self, cursor: str | None, limit: int) -> Page:
        """Everything the target has, page by page; restartable from any cursor it gave."""

    def end_sessions(self, remote_id: str) -> None:
        """Close what the person has open there, where the target can."""

    def delete(self, remote_id: str, op: str) -> None:
        """Retention only; an account that is gone already is a success."""


class PasswordKeeper(Protocol):
    """What a connector with the capability `verify_password` can do besides; raises only `TargetError`."""

    def verify_password(self, login: str, password: str) -> bool:
        """Whether the account of this login opens with this password; False where there is none."""


def refuse(kind: str, act: str) -> TargetError:
    """The answer of a connector that is asked for what its capabilities do not offer."""
    return TargetError(OutcomeKind.PERMANENT, f"{kind} does not offer {act}")
