"""What officers decided about an account beyond the rules, as policies and pages read it (6.7).  Reads only."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.departments import departments_of
from idp.flows.here import Here
from idp.models import AccessDecision, Account
from policies.access_decisions import Decision
from policies.deadlines import local_day
from policies.permissions import Whom, may


def decisions_about(here: Here, account_id: UUID) -> list[Decision]:
    """Every decision there ever was."""
    return [as_decision(here, one) for one in _rows(account_id)]


def as_decision(here: Here, row: AccessDecision) -> Decision:
    """The row as a value."""
    lifted_on = local_day(row.lifted_at, here.service.zone) if row.lifted_at else None
    return Decision(row.system, row.program, row.gives, row.starts_on, row.ends_on, lifted_on)


def may_decide(here: Here, account: Account, system: str, departments: frozenset[str]) -> bool:
    """Whether whoever acts may give or forbid `account` this system."""
    return here.who is not None and may("decide-access", here.who, Whom(str(account.id), departments, system), here.now)


def decisions_shown(here: Here, account: Account, language: str) -> dict[str, Any]:
    """The decisions, the newest first, and what whoever looks may decide about: value and name of each system, and of
    each of its programs."""
    departments = departments_of(here, account)
    names = {one.code: one.names.to(language) for one in here.service.profile.systems}
    within = [one for one in here.service.profile.systems if may_decide(here, account, one.code, departments)]
    today = local_day(here.now, here.service.zone)
    choices = [
        (f"{one.code} {program}".strip(), f"{names[one.code]} · {program}" if program else names[one.code])
        for one in within
        for program in ("", *sorted(one.programs))
    ]
    shown = [
        {
            "row": row,
            "system": names.get(row.system, row.system),
            "holds": (held := as_decision(here, row)).may_hold(today),
            "liftable": held.may_hold(today) and may_decide(here, account, row.system, departments),
        }
        for row in reversed(_rows(account.id))
    ]
    return {"decisions": shown, "choices": choices, "today": today}


def _rows(account_id: UUID) -> list[AccessDecision]:
    mine = sa.select(AccessDecision).where(AccessDecision.account_id == account_id)
    return list(db.session.scalars(mine.order_by(AccessDecision.decided_at, AccessDecision.id)))
