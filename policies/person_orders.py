"""Which orders a change of an employee over SCIM amounts to.  Regulation 3.2, 3.6, 3.7.

Every account is opened, changed and closed because an order says so, whoever brings it.  Owns the step from what an HR
system wants an employee to be to the order's kind and line (orders contract).  Leaves alone the protocol, and whether
names and codes hold (the schema of orders).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Post:
    """An employment that lasts; what SCIM has no word for is carried along."""

    department: str
    title: str
    employment_id: str | None = None
    rate: float | None = None
    type: str | None = None
    begun: bool = True


@dataclass(frozen=True, slots=True)
class Employee:
    """What SCIM says of a person; `number` is the one HR knows them by."""

    number: str
    family: str
    given: str
    patronymic: str | None
    department: str
    title: str
    active: bool


@dataclass(frozen=True, slots=True)
class Step:
    """An order to be given: its kind, and the person object of each line."""

    kind: str
    persons: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why no order can say it: the SCIM attribute, and the reason."""

    attribute: str
    reason: str


NOT_BEGUN = "the employment has not begun: its own order is to be corrected or cancelled"
SEVERAL = "the person has several employments: an order must say which one is meant"


def orders_for(
    before: Employee | None, posts: tuple[Post, ...], after: Employee, new_id: str
) -> tuple[Step, ...] | Unfit:
    """The orders that make `after` of `before`, in the order in which they are to be given; None: nobody yet.

    `posts`: the employments that last.  `new_id` will name the employment that a hire or a reinstatement opens.
    """
    if before is None:
        opened = Post(after.department, after.title, new_id)
        hire = Step("hire", (_line(after.number, name=_name(after), employment=_employment(opened)),))
        return (hire,) if after.active else (hire, _dismissal(after.number, (opened,)))
    if before.number != after.number:
        return Unfit("userName", "the number HR knows a person by does not change")
    renamed = (_rename(before, after),) if _name(before) != _name(after) else ()
    rest = _reinstated(after, new_id) if not posts else _posted(before, posts, after)
    return rest if isinstance(rest, Unfit) else (*renamed, *rest)


def _reinstated(after: Employee, new_id: str) -> tuple[Step, ...]:
    """Of somebody whose employments are over: the same account, a new employment."""
    opened = Post(after.department, after.title, new_id)
    again = Step("reinstatement", (_line(after.number, employment=_employment(opened)),))
    return (again,) if after.active else ()


def _posted(before: Employee, posts: tuple[Post, ...], after: Employee) -> tuple[Step, ...] | Unfit:
    moves = (before.department, before.title) != (after.department, after.title)
    moved = "department" if before.department != after.department else "title"
    if (moves or not after.active) and not all(post.begun for post in posts):
        return Unfit(moved if moves else "active", NOT_BEGUN)
    if moves and len(posts) > 1:
        return Unfit(moved, SEVERAL)
    steps: tuple[Step, ...] = ()
    if moves:
        now = posts[0]
        posts = (Post(after.department, after.title, now.employment_id, now.rate, now.type),)
        steps = (Step("transfer", (_line(after.number, employment=_employment(posts[0])),)),)
    return steps if after.active else (*steps, _dismissal(after.number, posts))


def _rename(before: Employee, after: Employee) -> Step:
    former = {"family": before.family, "given": before.given}
    return Step("rename", (_line(after.number, name=_name(after), previousName=former),))


def _dismissal(number: str, posts: tuple[Post, ...]) -> Step:
    """From all of them: who is not active has none."""
    lines = (_line(number, place, employment=_employment(post)) for place, post in enumerate(posts, start=1))
    return Step("dismissal", tuple(lines))


def _line(number: str, place: int = 1, **more: Any) -> dict[str, Any]:
    return {"line": str(place), "ids": {"employeeNo": number}, **more}


def _name(employee: Employee) -> dict[str, str | None]:
    return {"family": employee.family, "given": employee.given, "patronymic": employee.patronymic}


def _employment(post: Post) -> dict[str, Any]:
    told = {"departmentCode": post.department, "positionTitle": post.title, "employmentId": post.employment_id,
            "rate": post.rate, "type": post.type}  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}
