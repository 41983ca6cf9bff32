"""How many closings of a year were done within their three working days, system by system (Regulation 3.7)."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import System, Task


@dataclass(frozen=True, slots=True)
class Closings:
    """Of one system, those whose deadline lies in the year: done in time, done late, not done though it is past, and
    still in time.  What a later order overtook is not among them."""

    system: str
    kept: int
    late: int
    overdue: int
    open: int

    @property
    def due(self) -> int:
        """How many should have been done by now."""
        return self.kept + self.late + self.overdue


def closing_report(here: Here, year: int, language: str) -> list[Closings]:
    """A row per system that had any; an empty list for a year without."""
    counts = {
        "kept": Task.done_at < Task.due_at,
        "late": Task.done_at >= Task.due_at,
        "overdue": sa.and_(Task.done_at.is_(None), Task.due_at <= here.now),
        "open": sa.and_(Task.done_at.is_(None), Task.due_at > here.now),
    }
    rows = db.session.execute(
        sa.select(System.names, *(sa.func.count(sa.case((which, 1))).label(name) for name, which in counts.items()))
        .select_from(Task)
        .join(System, System.code == Task.system)
        .where(
            Task.action == "close",
            Task.status != "superseded",
            Task.due_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(System.code, System.names)
        .order_by(System.code)
    )
    return [Closings(row.names[language], row.kept, row.late, row.overdue, row.open) for row in rows]
