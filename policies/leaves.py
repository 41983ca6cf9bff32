"""What leaves do to access: a table per type, which an order may override.  Regulation 3.7; orders contract, "Applying".

Owns when somebody is away and which systems stay meanwhile.  The account itself stays open: whoever is away reads
their own documents.  Leaves alone which employment or study a leave is about (`chains`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from policies.affiliations import Affiliation, Leave

ONE_DAY = timedelta(days=1)
TYPES = frozenset({"annual", "unpaid", "study", "maternity", "childcare", "sick", "academic", "other"})  # of the schema


@dataclass(frozen=True, slots=True)
class LeaveRules:
    """`kept`: the systems that stay during a leave, by its type; a type that is not named takes nothing away.

    `least`: what stays when an order itself takes the access of such a type away.
    """

    kept: Mapping[str, frozenset[str]] = field(default_factory=dict)
    least: frozenset[str] = frozenset()

    @property
    def systems(self) -> frozenset[str]:
        """Every system that is named."""
        return self.least.union(*self.kept.values())

    def keeps(self, leave: Leave, system: str) -> bool:
        """Whether the system stays open during the leave; `keepAccess` of the order has the last word."""
        if leave.keep_access or (leave.type not in self.kept and leave.keep_access is None):
            return True
        return system in self.kept.get(leave.type, self.least)


def away(piece: Affiliation, leave: Leave) -> Affiliation:
    """The affiliation with one leave more."""
    return replace(piece, leaves=(*piece.leaves, leave))


def back(piece: Affiliation, day: date) -> Affiliation:
    """The affiliation with whatever leave runs on `day` ended the day before; one to come is not meant."""
    return replace(piece, leaves=tuple(_ended(leave, day) for leave in piece.leaves))


def leave_on(piece: Affiliation, day: date) -> Leave | None:
    """The leave that runs on `day`; of several the one ordered last."""
    return next((leave for leave in reversed(piece.leaves) if _covers(leave, day)), None)


def runs(starts_on: date, ends_on: date | None, day: date) -> bool:
    """Whether a leave of these days covers `day`."""
    return starts_on <= day and (ends_on is None or day <= ends_on)


def was_away(piece: Affiliation, today: date) -> bool:
    """Whether a leave of this affiliation is over."""
    return any(leave.ends_on is not None and leave.ends_on < today for leave in piece.leaves)


def _ended(leave: Leave, day: date) -> Leave:
    return replace(leave, ends_on=day - ONE_DAY) if _covers(leave, day) else leave


def _covers(leave: Leave, day: date) -> bool:
    return runs(leave.starts_on, leave.ends_on, day)
