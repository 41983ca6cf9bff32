"""What a scenario tells: a figure, and whether it is one that must hold and does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.ground import Grounds


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    text: str
    holds: bool = True


Scenario = Callable[[Grounds, float], Iterator[Figure]]  # by a share of the full scale


def scaled(full: int, scale: float, least: int) -> int:
    """A count of the full scale, made smaller or larger."""
    return max(least, round(full * scale))
