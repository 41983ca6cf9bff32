"""Which systems a person has, and when the account may be used.  Regulation 3.7, 6.7, annex (list of systems).

Owns the rule from affiliations, and from what officers decided beyond them, to rights.  Leaves alone what may be
decided (`access_decisions`), and the target systems.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from policies.access_decisions import Decision, latest_edge
from policies.affiliations import Affiliation, Kind
from policies.deadlines import ONE_DAY, start_of
from policies.leaves import LeaveRules, leave_on

NEAREST = (Kind.EMPLOYEE, Kind.STUDENT, Kind.LEARNER)  # which of them stands for the person


@dataclass(frozen=True, slots=True)
class SystemRule:
    """Who has a system; all conditions must hold for one and the same affiliation."""

    code: str
    audience: frozenset[str]  # "employee", "student", "learner"
    departments: frozenset[str]  # codes; empty: all
    programs: frozenset[str]  # programs of orders that belong to this system
    on_request: bool  # only for those whose order names one of its programs
    report_sections: bool  # whether report sections of orders go to this system
    positions: frozenset[str] = frozenset()  # codes, or titles in any case; empty: all
    programmes: frozenset[str] = frozenset()  # codes of studies and courses; empty: all
    needs_agreement: str = ""  # code of an agreement without which nobody has it; empty: none


@dataclass(frozen=True, slots=True)
class Right:
    """One system a person has, or had: then it is not active and carries no programs.

    `decided_on`: the last day up to today on which an officer's decision about it began, ran out or was lifted, or the
    agreement that it needs was accepted.
    """

    system: str
    active: bool
    programs: tuple[str, ...]
    report_sections: tuple[str, ...]
    affiliation: Affiliation | None  # the one it rests on, or rested on last; None of what must not be
    decided_on: date | None = None


def rights(
    affiliations: Sequence[Affiliation],
    systems: Sequence[SystemRule],
    leaves: LeaveRules,
    today: date,
    now: datetime,
    decisions: Sequence[Decision] = (),
    accepted: Mapping[str, date] | None = None,
) -> tuple[Right, ...]:
    """One right per system that any affiliation gives or gave, or that officers gave or forbade (`decisions`).

    `accepted`: the agreements that the person has accepted, in whatever version: code and first day.

    What begins later counts already, so that everything is ready on the first day; `window` keeps the door shut.
    A prohibition has the last word over rules, leaves and whatever was given.
    """
    found = []
    for system in systems:
        about = [one for one in decisions if one.system == system.code]
        forbidden = {one.program for one in about if one.holds_on(today) and not one.gives}
        allowed = replace(system, programs=system.programs - forbidden)
        given = [one for one in about if one.holds_on(today) and one.gives and one.program not in forbidden]
        agreed = (accepted or {}).get(system.needs_agreement)
        right: Right | None = Right(system.code, False, (), (), None)
        if None not in forbidden and (agreed or not system.needs_agreement):
            right = _given(
                _by_rules(allowed, affiliations, leaves, today, now), system, given, affiliations, today, now
            )
        if right is not None:
            days = [day for day in (latest_edge(about, today), agreed) if day is not None]
            found.append(replace(right, decided_on=max(days, default=None)))
    return tuple(found)


def gained_and_lost(before: Iterable[Right], after: Iterable[Right]) -> tuple[frozenset[str], frozenset[str]]:
    """Which systems somebody has after and had not before, and the other way round."""
    had, has = ({right.system for right in each if right.active} for each in (before, after))
    return frozenset(has - had), frozenset(had - has)


def holds_one_of(positions: Iterable[str], code: str | None, title: str | None) -> bool:
    """Whether a position is among these; clerks write titles in any case and with any blanks."""
    mine = {_as_said(text) for text in (code, title) if text}
    return any(_as_said(one) in mine for one in positions)


def primary(affiliations: Sequence[Affiliation], today: date) -> Affiliation | None:
    """The affiliation that stands for the person: begun before coming, main employment first, then rate, then study,
    then a course."""
    lasting = [one for one in affiliations if one.ended_at is None and (one.ends_on is None or one.ends_on >= today)]
    return min(lasting, key=lambda one: _rank(one, today), default=None)


def window(
    affiliations: Sequence[Affiliation], zone: ZoneInfo, now: datetime | None = None
) -> tuple[datetime | None, datetime | None]:
    """From when until when the account may be used, in UTC, the second moment excluded; (None, None): never.

    Of several uninterrupted stretches the one running at `now`, else the next, else the last; without `now` the last.
    An end of None is open.
    """
    stretches = list(_stretches(affiliations, zone))
    if not stretches:
        return None, None
    lasting = [stretch for stretch in stretches if now is not None and (stretch[1] is None or now < stretch[1])]
    return lasting[0] if lasting else stretches[-1]


def next_review(
    affiliations: Sequence[Affiliation], now: datetime, zone: ZoneInfo, decisions: Iterable[Decision] = ()
) -> datetime | None:
    """The next UTC moment at which an affiliation, a leave or a decision begins or ends, and with it the answers above;
    None: never."""
    spans = (_span(one, zone) for one in affiliations)
    edges = [moment for span in spans for moment in span]
    edges += [_midnight(day, zone) for one in affiliations for leave in one.leaves
              for day in (leave.starts_on, _day_after(leave.ends_on))]  # fmt: skip
    edges += [_midnight(day, zone) for one in decisions if one.lifted_on is None
              for day in (one.starts_on, one.day_after)]  # fmt: skip
    return min((moment for moment in edges if moment is not None and moment > now), default=None)


def _carries(affiliation: Affiliation, system: SystemRule) -> bool:
    """Whether this affiliation by itself entitles to the system."""
    return (
        affiliation.kind.value in system.audience
        and (not system.departments or affiliation.department in system.departments)
        and (not system.positions or holds_one_of(system.positions, affiliation.position_code, affiliation.position))
        and (not system.programmes or affiliation.programme in system.programmes)
        and (not system.on_request or bool(system.programs.intersection(affiliation.programs)))
    )


def _given(
    right: Right | None,
    system: SystemRule,
    given: Sequence[Decision],
    affiliations: Sequence[Affiliation],
    today: date,
    now: datetime,
) -> Right | None:
    """What the rules give, with what officers gave beyond them.

    That rests on what the person was when it began: a transfer or a dismissal ends it as it ends what the rules give.
    """
    begun = {one: [it for it in affiliations if it.starts_on <= one.starts_on and not _is_over(it, today, now)]
             for one in given}  # fmt: skip
    held = [one for one in given if begun[one]]
    if not held:
        return right
    if right is None or not right.active:
        right = Right(system.code, True, (), (), primary([it for one in held for it in begun[one]], today))
    programs = {*right.programs, *(one.program for one in held if one.program is not None)}
    return replace(right, programs=tuple(sorted(programs)))


def _by_rules(
    system: SystemRule, affiliations: Sequence[Affiliation], leaves: LeaveRules, today: date, now: datetime
) -> Right | None:
    """The right to one system out of the affiliations that carry it, past ones included; None: none ever did."""
    carrying = [one for one in affiliations if _carries(one, system)]
    if not carrying:
        return None
    lasting = [one for one in carrying if not _is_over(one, today, now) and _is_kept(one, system.code, leaves, today)]
    if not lasting:
        last = max(carrying, key=lambda one: (one.ends_on or date.max, one.starts_on, one.opened_by))
        return Right(system.code, active=False, programs=(), report_sections=(), affiliation=last)
    programs = system.programs & {program for one in lasting for program in one.programs}
    sections = {section for one in lasting for section in one.report_sections} if system.report_sections else set()
    return Right(system.code, True, tuple(sorted(programs)), tuple(sorted(sections)), primary(lasting, today))


def _as_said(position: str) -> str:
    return " ".join(position.casefold().split())


def _is_over(affiliation: Affiliation, today: date, now: datetime) -> bool:
    """Past its last day, or ended at once."""
    if affiliation.ended_at is not None and affiliation.ended_at <= now:
        return True
    return affiliation.ends_on is not None and affiliation.ends_on < today


def _is_kept(affiliation: Affiliation, system: str, leaves: LeaveRules, today: date) -> bool:
    """Whether no leave takes the system away today."""
    leave = leave_on(affiliation, today)
    return leave is None or leaves.keeps(leave, system)


def _rank(affiliation: Affiliation, today: date) -> tuple[bool, date, bool, int, float, date, tuple[str, int]]:
    """The lowest stands for the person; the end only makes the choice the same every time."""
    to_come = affiliation.starts_on > today
    return (
        to_come,
        affiliation.starts_on if to_come else date.min,
        affiliation.employment_type != "main",
        NEAREST.index(affiliation.kind),
        -(affiliation.rate or 0.0),
        affiliation.starts_on,
        affiliation.opened_by,
    )


def _span(affiliation: Affiliation, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """When it begins and ends: local midnights, or the moment of an immediate end if that is earlier."""
    ends = (_midnight(_day_after(affiliation.ends_on), zone), affiliation.ended_at)
    return start_of(affiliation.starts_on, zone), min((end for end in ends if end is not None), default=None)


def _day_after(last_day: date | None) -> date | None:
    """ "Until 9999-12-31" is how some registers write "without end", and there is no day after it."""
    return last_day + ONE_DAY if last_day is not None and last_day < date.max else None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return start_of(day, zone) if day is not None else None


def _stretches(affiliations: Iterable[Affiliation], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime | None]]:
    """The spans joined wherever one begins before or as another ends; spans that end before they begin are none."""
    spans = [span for span in (_span(one, zone) for one in affiliations) if span[1] is None or span[0] < span[1]]
    spans.sort(key=lambda span: span[0])
    while spans:
        opens, closes = spans.pop(0)
        while spans and (closes is None or spans[0][0] <= closes):
            end = spans.pop(0)[1]
            closes = None if closes is None or end is None else max(closes, end)
        yield opens, closes
