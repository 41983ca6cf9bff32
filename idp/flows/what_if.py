"""What other rules would change: who would gain and who would lose which system (Regulation 3.1, 3.7); and having the
rules in force followed by everybody."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.access_decisions import decisions_about
from idp.flows.agreement_texts import agreed_on
from idp.flows.follow_orders import lines_of
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Account, OrderLine, Person
from policies.access import gained_and_lost, rights
from policies.deadlines import local_day
from policies.folding import fold
from policies.profile import Profile


@dataclass(frozen=True, slots=True)
class Difference:
    """What one person would gain and lose, as codes of systems."""

    login: str
    gained: frozenset[str]
    lost: frozenset[str]


def what_if(here: Here, profile: Profile, after: UUID | None, limit: int) -> tuple[list[Difference], UUID | None]:
    """The differences among the next `limit` accounts `after` that one, were `profile` in force; and where to go on,
    None at the end.  Changes nothing."""
    wanted = sa.select(Account.id, Account.login, Account.person_id).order_by(Account.id).limit(limit)
    rows = db.session.execute(wanted.where(Account.id > after) if after else wanted).all()
    found = [Difference(row.login, *_difference(here, row.id, row.person_id, profile)) for row in rows]
    return [one for one in found if one.gained or one.lost], rows[-1].id if len(rows) == limit else None


def follow_rules(here: Here) -> int:
    """Have workers look at every person of any order again by the rules in force; how many.  The first administrator,
    whom no order named, stays."""
    named = sa.exists().where(OrderLine.person_id == Person.id)
    looked = sa.update(Person).where(named).values(review_at=here.now).returning(Person.id)
    people = db.session.scalars(looked.execution_options(synchronize_session=False)).all()
    record(here, "rules-followed", after={"people": len(people)})
    return len(people)


def _difference(
    here: Here, account_id: UUID, person_id: UUID, profile: Profile
) -> tuple[frozenset[str], frozenset[str]]:
    today = local_day(here.now, here.service.zone)
    affiliations = fold(lines_of(here, person_id), today).affiliations
    decisions, accepted = decisions_about(here, account_id), agreed_on(here, account_id)
    before, after = (
        rights(
            affiliations, [one.rule for one in rules.systems], rules.rules.leaves, today, here.now, decisions, accepted
        )
        for rules in (here.service.profile, profile)
    )
    return gained_and_lost(before, after)
