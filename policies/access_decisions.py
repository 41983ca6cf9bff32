"""What officers decide about one account and one system, beyond the rules.  Regulation 3.1, 4.4, 6.7.

Owns what a decision is, on which days it holds, and what may be decided.  Leaves alone what follows for the systems
(`access`), and who may decide (`permissions`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

LONGEST_GIVEN = timedelta(days=366)  # after that an officer looks again


@dataclass(frozen=True, slots=True)
class Decision:
    """One system given beyond the rules, or forbidden; days are local, both inclusive.

    `program`: only that program of the system, not the whole of it.  Something given rests on what the person was on
    the first of its days, and ends with that; without `ends_on` a prohibition lasts until it is lifted.
    """

    system: str
    program: str | None
    gives: bool  # else it forbids
    starts_on: date
    ends_on: date | None
    lifted_on: date | None = None

    def holds_on(self, today: date) -> bool:
        """Whether it counts on this day."""
        return self.starts_on <= today and self.may_hold(today)

    def may_hold(self, today: date) -> bool:
        """Whether it counts on this day or may count later: not lifted, and not over."""
        return self.lifted_on is None and (self.ends_on is None or today <= self.ends_on)

    @property
    def day_after(self) -> date | None:
        """The first day on which it has run out; None: it never does by itself."""
        return self.ends_on + timedelta(days=1) if self.ends_on is not None and self.ends_on < date.max else None


class Objection(Enum):
    """Why something can't be decided; each has its sentence on the page."""

    NO_END = "given-end-required"
    ENDS_BEFORE = "decision-days-wrong"  # it would be over before it begins, or lie in the past
    TOO_LONG = "given-too-long"
    KNOWN = "decided-already"
    FORBIDDEN = "forbidden-now"


def objection(asked: Decision, known: Iterable[Decision], today: date) -> Objection | None:
    """What speaks against a decision, given those there are about the same account."""
    if asked.gives and asked.ends_on is None:
        return Objection.NO_END
    if asked.starts_on < today or (asked.ends_on is not None and asked.ends_on < asked.starts_on):
        return Objection.ENDS_BEFORE
    if asked.gives and asked.ends_on is not None and asked.ends_on - asked.starts_on > LONGEST_GIVEN:
        return Objection.TOO_LONG
    same = [one for one in known if one.system == asked.system and one.may_hold(today)]
    if asked.gives and any(not one.gives and one.program in (None, asked.program) for one in same):
        return Objection.FORBIDDEN
    alike = any(one.gives == asked.gives and one.program == asked.program for one in same)
    return Objection.KNOWN if alike else None


def latest_edge(decisions: Iterable[Decision], today: date) -> date | None:
    """The last day up to today on which one of them began, ran out or was lifted; None: none ever did."""
    edges = (edge for one in decisions for edge in (one.starts_on, one.day_after, one.lifted_on))
    return max((edge for edge in edges if edge is not None and edge <= today), default=None)
