"""What each kind of order does to a person's employments and studies.  Regulation 3.2, 3.7.

Carries out "Applying" of the orders contract.

Owns the table from kind of order to its effect.  Leaves alone in which order the lines come (`folding`).

An employment (or a study) is a chain of affiliations in time: a hire opens it, a transfer cuts it and sets the next
piece in, a dismissal ends it.  Nothing is undone: a correction means folding again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from policies.affiliations import Affiliation, Kind, Leave, OrderLine, OrderVersion
from policies.leaves import ONE_DAY, away, back

Chain = tuple[Affiliation, ...]  # one employment or study, pieces in time order
Chains = tuple[Chain, ...]
Outcome = Chains | str  # the chains afterwards, or the code of a note
Handler = Callable[[Chains, OrderLine], Outcome]

UNKNOWN = "unknown-affiliation"
AMBIGUOUS = "ambiguous-affiliation"


def effective_day(line: OrderLine) -> date:
    """The day it takes effect; the schema demands one of every approved order."""
    return line.effective_on or line.approved_on


# --- opening


def _open(chains: Chains, line: OrderLine) -> Outcome:
    """A new employment or study beside whatever there is."""
    return (*chains, (_opened(line),))


def _reinstate(chains: Chains, line: OrderLine) -> Outcome:
    """As the order says; where it names no post, the one that ended last comes back."""
    if _part(line):
        return _open(chains, line)
    ended = [chain[-1] for chain in _of_kind(chains, line) if not _is_open(chain, effective_day(line))]
    last = max((piece.ends_on or date.max for piece in ended), default=None)
    found = [piece for piece in ended if (piece.ends_on or date.max) == last]
    if len(found) != 1:
        return AMBIGUOUS if found else UNKNOWN
    return (*chains, (_renewed(found[0], line),))


def _opened(line: OrderLine) -> Affiliation:
    """The affiliation as the order describes it, from its effective day on."""
    part, access = _part(line), line.body.get("access") or {}
    return Affiliation(
        kind=_kind(line),
        department=part.get("departmentCode") or part.get("facultyCode"),
        position=part.get("positionTitle"),
        position_code=part.get("positionCode"),
        programme=part.get("programCode"),
        group=part.get("groupCode"),
        employment_id=part.get("employmentId"),
        rate=part.get("rate"),
        employment_type=part.get("type"),
        programs=tuple(sorted(access.get("programs", ()))),
        report_sections=tuple(sorted(access.get("reportSections", ()))),
        starts_on=effective_day(line),
        ends_on=line.effective_until,
        ended_at=None,
        opened_by=_version(line),
        closed_by=None,
    )


def _renewed(former: Affiliation, line: OrderLine) -> Affiliation:
    """The former affiliation again, with the wishes of the new order where it has any."""
    new = _opened(line)
    again = replace(former, starts_on=new.starts_on, ends_on=new.ends_on, ended_at=None,
                    opened_by=new.opened_by, closed_by=None, leaves=())  # fmt: skip
    if "access" in line.body:
        again = replace(again, programs=new.programs, report_sections=new.report_sections)
    return again


# --- changing


def _transfer(chains: Chains, line: OrderLine) -> Outcome:
    """The new post from the effective day on; after a temporary one the former comes back."""
    chain = _the_one(_movable(chains, line))
    if isinstance(chain, str):
        return chain
    new = _opened(line)
    new = replace(
        new,
        employment_id=new.employment_id or chain[-1].employment_id,
        department=new.department or chain[-1].department,
        ends_on=new.ends_on or chain[-1].ends_on,
        leaves=chain[-1].leaves,
    )
    return _replaced(chains, chain, (*_before(chain, line), new, *_after(chain, line)))


def _movable(chains: Chains, line: OrderLine) -> Chains:
    """The employments a transfer can mean: the one it names, else all; of several studies the same programme."""
    candidates = _named(_candidates(chains, line), line)
    programme = _part(line).get("programCode")
    same = tuple(chain for chain in candidates if chain[-1].programme == programme is not None)
    return same or candidates


def _before(chain: Chain, line: OrderLine) -> Chain:
    """The pieces up to the day before the line takes effect; one that had not begun by then never was."""
    day = effective_day(line)
    return tuple(_cut(piece, day - ONE_DAY, line) for piece in chain if piece.starts_on < day)


def _after(chain: Chain, line: OrderLine) -> Chain:
    """What comes back when the line's own time is over; nothing unless it is temporary."""
    if line.effective_until is None:
        return ()
    day = line.effective_until + ONE_DAY
    return tuple(
        replace(piece, starts_on=max(piece.starts_on, day), opened_by=_version(line))
        for piece in chain
        if piece.ends_on is None or piece.ends_on >= day
    )


# --- ending


def _end(chains: Chains, line: OrderLine) -> Outcome:
    """The effective day is the last one, or the receipt the last moment.  Regulation 3.7."""
    chain = _the_one(_endable(chains, line))
    if isinstance(chain, str):
        return chain
    kept = tuple(_cut(piece, effective_day(line), line) for piece in chain if piece.starts_on <= effective_day(line))
    closed = replace(kept[-1], closed_by=_version(line), ended_at=line.received_at if line.immediate else None)
    return _replaced(chains, chain, (*kept[:-1], closed))


def _endable(chains: Chains, line: OrderLine) -> Chains:
    """The affiliations an ending can mean: by employment id, by post or programme, else all of the kind."""
    part = _part(line)
    return tuple(chain for chain in _named(_candidates(chains, line), line) if _fits(_piece_on(chain, line), part))


def _fits(piece: Affiliation, part: Mapping[str, Any]) -> bool:
    """Whether the piece is the one the order describes; what either leaves out does not matter."""
    if part.get("employmentId"):
        return True  # `_named` has chosen by it
    # a code says more than a title, which clerks spell in many ways
    by_code = piece.position_code and part.get("positionCode")
    told = (
        (piece.department, part.get("departmentCode") or part.get("facultyCode")),
        (piece.programme, part.get("programCode")),
        (piece.position_code, part["positionCode"]) if by_code else (piece.position, part.get("positionTitle")),
    )
    return all(known is None or value is None or _same(known, value) for known, value in told)


def _same(one: str, other: str) -> bool:
    """Equal apart from case and blanks."""
    return one.casefold().split() == other.casefold().split()


# --- finding


def _candidates(chains: Chains, line: OrderLine) -> Chains:
    """The chains of the line's kind that still run on its day."""
    return tuple(chain for chain in _of_kind(chains, line) if _is_open(chain, effective_day(line)))


def _named(candidates: Chains, line: OrderLine) -> Chains:
    """Those with the employment id of the line, if it has one; failing that, those whose id nobody told us."""
    wanted = _part(line).get("employmentId")
    if wanted is None:
        return candidates
    exact = tuple(chain for chain in candidates if chain[-1].employment_id == wanted)
    return exact or tuple(chain for chain in candidates if chain[-1].employment_id is None)


def _the_one(candidates: Chains) -> Chain | str:
    """The only candidate; none or several are for a person to decide."""
    if len(candidates) == 1:
        return candidates[0]
    return AMBIGUOUS if candidates else UNKNOWN


def _is_open(chain: Chain, day: date) -> bool:
    """Not ended by an order, and not run out before the day."""
    last = chain[-1]
    return last.closed_by is None and (last.ends_on is None or last.ends_on >= day)


def _piece_on(chain: Chain, line: OrderLine) -> Affiliation:
    """The piece in force on the line's day."""
    return [piece for piece in chain if piece.starts_on <= effective_day(line)][-1]


def _cut(piece: Affiliation, last_day: date, line: OrderLine) -> Affiliation:
    """The piece ended on that day at the latest, and by whom."""
    if piece.ends_on is not None and piece.ends_on <= last_day:
        return piece
    return replace(piece, ends_on=last_day, closed_by=_version(line))


def _replaced(chains: Chains, old: Chain, new: Chain) -> Chains:
    """The chains with one of them exchanged, in the same place."""
    return tuple(new if chain is old else chain for chain in chains)


def _of_kind(chains: Chains, line: OrderLine) -> Chains:
    """Employments for an order about employees, studies for one about students, contracts for one about learners."""
    return tuple(chain for chain in chains if chain[-1].kind is _kind(line))


def _kind(line: OrderLine) -> Kind:
    """Whom an order is about: the schema's kinds say it by their names."""
    return next(
        (kind for kind in (Kind.STUDENT, Kind.LEARNER) if line.kind.startswith(f"{kind.value}_")), Kind.EMPLOYEE
    )


def _part(line: OrderLine) -> Mapping[str, Any]:
    """The part of the body that describes the post or the study; empty when the order has none."""
    part: Mapping[str, Any] = line.body.get("employment" if _kind(line) is Kind.EMPLOYEE else "study") or {}
    return part


def _version(line: OrderLine) -> OrderVersion:
    """What an affiliation remembers of the order."""
    return line.order_id, line.version


# --- the kinds of orders


def _nothing(chains: Chains, line: OrderLine) -> Outcome:
    """Rename and contacts leave affiliations as they are."""
    return chains


def _leave(chains: Chains, line: OrderLine) -> Outcome:
    """Away from one employment or study; what that means for access is a rule (`leaves`)."""
    chain = _the_one(_endable(chains, line))
    if isinstance(chain, str):
        return chain
    told = line.body.get("leave") or {}
    leave = Leave(
        told.get("type", "other"), effective_day(line), line.effective_until, told.get("keepAccess"), _version(line)
    )  # fmt: skip
    return _replaced(chains, chain, tuple(away(piece, leave) for piece in chain))


def _return(chains: Chains, line: OrderLine) -> Outcome:
    """Back before the leave was over, or from one without an end."""
    chain = _the_one(_endable(chains, line))
    if isinstance(chain, str):
        return chain
    return _replaced(chains, chain, tuple(back(piece, effective_day(line)) for piece in chain))


def not_known(chains: Chains, line: OrderLine) -> Outcome:
    """A kind of a later schema: nothing happens, and somebody hears of it."""
    return "unknown-kind"


HANDLERS: Mapping[str, Handler] = {
    "hire": _open,
    "transfer": _transfer,
    "dismissal": _end,
    "leave": _leave,
    "return": _return,
    "rename": _nothing,
    "contacts": _nothing,
    "reinstatement": _reinstate,
    "student_enrolment": _open,
    "student_transfer": _transfer,
    "student_academic_leave": _leave,
    "student_return": _return,
    "student_expulsion": _end,
    "student_graduation": _end,
    "student_reinstatement": _reinstate,
    "learner_contract": _open,
    "learner_contract_end": _end,
}
