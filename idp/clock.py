"""Where the present moment comes from.  Everything else receives `now` as a value (design, decision 3)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment, always in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class RehearsalClock:
    """The machine's clock moved by as many seconds as stand in a file.

    For rehearsals in development: a story that spans weeks of orders is played in a minute, by several
    processes that share the file.  Settings refuse it in production.
    """

    shift_file: Path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._shift())

    def move_to(self, moment: datetime) -> None:
        """Make it `moment` for every process that reads the file; replaced in one step, so none reads a half."""
        seconds = max((moment - datetime.now(UTC)).total_seconds(), self._shift())
        draft = self.shift_file.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.replace(self.shift_file)

    def _shift(self) -> float:
        return float(self.shift_file.read_text()) if self.shift_file.exists() else 0.0


@dataclass
class SetClock:
    """Stands still until it is moved; for tests."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> datetime:
        self.moment += timedelta(**by)
        return self.moment
