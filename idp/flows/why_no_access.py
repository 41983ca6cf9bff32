"""Why an account has no access to a system: the facts for `policies/denial.py`."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from idp.db import reader
from idp.flows.here import Here
from idp.models import AccessDecision, Account, AffiliationRow, Link
from policies.affiliations import Kind
from policies.deadlines import local_day
from policies.denial import Belonging, Reason, reason
from policies.leaves import runs

LASTING = (
    sa.select(
        AffiliationRow.kind,
        AffiliationRow.department,
        AffiliationRow.leaves,
        AffiliationRow.position_code,
        AffiliationRow.position,
        AffiliationRow.programme,
    )
    .join(Account, Account.person_id == AffiliationRow.person_id)
    .where(
        Account.id == sa.bindparam("account"),
        AffiliationRow.lasts(sa.bindparam("today"), sa.bindparam("now")),
    )
)
HAD = sa.select(Link.id).where(Link.account_id == sa.bindparam("account"), Link.system == sa.bindparam("system"))

FORBIDDEN = sa.select(AccessDecision.id).where(
    AccessDecision.account_id == sa.bindparam("account"),
    AccessDecision.system == sa.bindparam("system"),
    AccessDecision.program.is_(None),
    AccessDecision.gives.is_(False),
    AccessDecision.lifted_at.is_(None),
    AccessDecision.starts_on <= sa.bindparam("today"),
    sa.or_(AccessDecision.ends_on.is_(None), AccessDecision.ends_on >= sa.bindparam("today")),
)


def why_no_access(here: Here, account_id: UUID, system: str | None) -> Reason:
    """The reason to name to a person who may not use this system."""
    today = local_day(here.now, here.service.zone)
    values = {"account": account_id, "system": system, "today": today, "now": here.now}
    with reader().connect() as connection:
        rows = connection.execute(LASTING, values).all()
        had_access = connection.execute(HAD, values).first() is not None
        forbidden = connection.execute(FORBIDDEN, values).first() is not None
    belongings = [
        Belonging(
            Kind(row.kind),
            row.department,
            any(_runs(leave, today) for leave in row.leaves),
            row.position_code,
            row.position,
            row.programme,
        )
        for row in rows
    ]
    rule = next((one.rule for one in here.service.profile.systems if one.code == system), None)
    return reason(rule, belongings, had_access, forbidden)


def _runs(leave: list[str | None], today: date) -> bool:
    """As `AffiliationRow` keeps it."""
    first, last = (date.fromisoformat(day) if day else None for day in leave[1:])
    return first is not None and runs(first, last, today)
