"""To which departments people belong: whose officers may act on their accounts (3.1, 5.7)."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.here import Here
from idp.models import Account, AffiliationRow
from policies.deadlines import local_day

Departments = dict[UUID, frozenset[str]]  # by person


def departments_ever(person_ids: Iterable[UUID]) -> Departments:
    """Every department each of these people belongs or belonged to: there is work to do in those they have left."""
    return _grouped(person_ids, sa.true())


def departments_now(here: Here, person_ids: Iterable[UUID]) -> Departments:
    """Those they belong to or will; who belongs to none any more is still looked after where they were."""
    today = local_day(here.now, here.service.zone)
    wanted = set(person_ids)
    return departments_ever(wanted) | _grouped(wanted, AffiliationRow.lasts(today, here.now))


def departments_of(here: Here, account: Account) -> frozenset[str]:
    """Those whose officers may act on `account` now."""
    return departments_now(here, [account.person_id]).get(account.person_id, frozenset())


def _grouped(person_ids: Iterable[UUID], which: sa.ColumnElement[bool]) -> Departments:
    rows = db.session.execute(
        sa.select(AffiliationRow.person_id, AffiliationRow.department).where(
            AffiliationRow.person_id.in_(set(person_ids)), AffiliationRow.department.is_not(None), which
        )
    )
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for person_id, department in rows:
        found[person_id].add(str(department))
    return {person_id: frozenset(codes) for person_id, codes in found.items()}
