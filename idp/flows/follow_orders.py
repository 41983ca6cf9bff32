"""Bringing a person in line with all their orders (design, decision 10): nothing is undone, everything is recomputed.

The newest versions of the orders are folded into affiliations (`policies.affiliations`); from these follow the name,
the moments at which the account opens and closes, and what is wanted in every system (`want_access`).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import sqlalchemy as sa

from idp.db import db
from idp.flows.access_decisions import decisions_about
from idp.flows.activate import issue_activation
from idp.flows.agreement_texts import agreed_on
from idp.flows.finish_order import finish_overtaken
from idp.flows.here import Here
from idp.flows.open_account import open_account
from idp.flows.record import record
from idp.flows.sessions import end_all_sessions
from idp.flows.statements import own_statements
from idp.flows.want_access import want_access
from idp.flows.write_person import hold_person, write_person
from idp.models import Account, AffiliationRow, Link, Order, Person
from idp.models import OrderLine as LineRow
from policies.access import Right, SystemRule, next_review, rights, window
from policies.access_decisions import Decision
from policies.affiliations import Affiliation, Folded, OrderLine
from policies.deadlines import local_day, start_of
from policies.folding import fold
from policies.profile import InitialCredentials
from policies.profile_changes import newest

CONTACTS = ("work_phone", "mobile_phone", "personal_email")
NAMES = ("family", "given", "patronymic", "latin_family", "latin_given")


def follow_orders(here: Here, person: Person, cause: Order | None = None) -> Folded:
    """Recompute `person` as of now.  `cause` is the order being applied; without one, time has passed.

    Repeating it changes nothing; so it may run whenever there is doubt.
    """
    hold_person(person.id)
    today = local_day(here.now, here.service.zone)
    folded = fold(lines_of(here, person.id), today)
    write_person(here, person, _newest(here, person, folded))
    _write_affiliations(person, folded.affiliations)
    account = db.session.scalar(sa.select(Account).where(Account.person_id == person.id))
    if account is None and folded.affiliations:
        account = open_account(here, person)
        if here.service.profile.rules.initial_credentials is InitialCredentials.LINK:
            issue_activation(here, account)
    decisions = decisions_about(here, account.id) if account is not None else []
    if account is not None:
        _write_window(here, account, folded.affiliations)
        profile = here.service.profile
        systems = [system.rule for system in profile.systems]
        accepted = agreed_on(here, account.id)
        given = rights(folded.affiliations, systems, profile.rules.leaves, today, here.now, decisions, accepted)
        for right in (*given, *_given_up(account, systems, given)):
            want_access(here, person, account, right, cause)
        finish_overtaken(here, account, cause)
    person.review_at = _review_at(here, folded, decisions)
    return folded


def lines_of(
    here: Here, person_id: UUID, without: Order | None = None, instead: Order | None = None
) -> list[OrderLine]:
    """The lines about a person in the version in force of each order that ever named them.

    In force is the oldest one not superseded: a newer one that has arrived and was not applied yet changes nothing so
    far (`apply_order` supersedes the older ones when it does), nor does one that waits for a person.  To see what an
    order would change, ask as if this version were not there (`without`), and as if it were in force (`instead`).
    """
    counts = ~Order.held & (Order.state != "superseded")
    if without is not None:
        counts &= Order.id != without.id
    if instead is not None:
        other = (Order.source != instead.source) | (Order.order_id != instead.order_id)
        counts = (counts & other) | (Order.id == instead.id)
    in_force = (
        sa.select(Order.source, Order.order_id, sa.func.min(Order.version).label("version"))
        .where(
            Order.order_id.in_(sa.select(Order.order_id).join(LineRow).where(LineRow.person_id == person_id)),
            counts,
        )
        .group_by(Order.source, Order.order_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(LineRow, Order)
        .join(Order, Order.id == LineRow.order_pk)
        .join(
            in_force,
            (in_force.c.source == Order.source)
            & (in_force.c.order_id == Order.order_id)
            & (in_force.c.version == Order.version),
        )
        .where(LineRow.person_id == person_id)
    ).all()
    return [_plain(here, line, order) for line, order in rows]


def _plain(here: Here, line: LineRow, order: Order) -> OrderLine:
    return OrderLine(
        source=order.source,
        order_id=order.order_id,
        version=order.version,
        kind=order.kind,
        status=cast(Literal["approved", "cancelled"], order.status),
        number=order.number,
        approved_on=order.approved_on,
        effective_on=order.effective_on,
        effective_until=order.effective_until,
        immediate=order.immediate,
        line=line.line,
        body=json.loads(here.service.vault.open(line.body, f"order_line/{line.id}")),
        received_at=order.received_at,
    )


def _given_up(account: Account, systems: Iterable[SystemRule], given: Iterable[Right]) -> list[Right]:
    """What the account has by rules of before, and no affiliation gives or gave by those in force."""
    others = {system.code for system in systems} - {right.system for right in given}
    links = sa.select(Link.system).where(Link.account_id == account.id, Link.active.is_(True), Link.system.in_(others))
    return [Right(code, False, (), (), None) for code in db.session.scalars(links.order_by(Link.system))]


def _newest(here: Here, person: Person, folded: Folded) -> dict[str, Any]:
    """What orders and the person say, field by field: whoever said it last."""
    told: dict[str, Any] = {name: folded.names[name] for name in NAMES if name in folded.names}
    told |= {name: folded.contacts[name] for name in CONTACTS if name in folded.contacts}
    if folded.home_address is not None:
        told["home_address"] = folded.home_address
    return newest(told, folded.said, own_statements(here, person), here.service.zone)


def _write_affiliations(person: Person, affiliations: tuple[Affiliation, ...]) -> None:
    db.session.execute(sa.delete(AffiliationRow).where(AffiliationRow.person_id == person.id))
    db.session.add_all(
        AffiliationRow(
            person_id=person.id,
            kind=one.kind.value,
            department=one.department,
            position=one.position,
            position_code=one.position_code,
            programme=one.programme,
            student_group=one.group,
            employment_id=one.employment_id,
            rate=one.rate,
            employment_type=one.employment_type,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            ended_at=one.ended_at,
            leaves=[
                [leave.type, leave.starts_on.isoformat(), leave.ends_on.isoformat() if leave.ends_on else None]
                for leave in one.leaves
            ],
        )
        for one in affiliations
    )


def _write_window(here: Here, account: Account, affiliations: tuple[Affiliation, ...]) -> None:
    """From when until when the account may be used; what follows from its end, once that has come."""
    opens_at, closes_at = window(affiliations, here.service.zone, here.now)
    if (opens_at, closes_at) != (account.opens_at, account.closes_at):
        before = {"opens_at": account.opens_at, "closes_at": account.closes_at}
        account.opens_at, account.closes_at = opens_at, closes_at
        after = {"opens_at": opens_at, "closes_at": closes_at}
        record(here, "account-window", account, before=before, after=after)
    over = opens_at is None or (closes_at is not None and closes_at <= here.now)
    if over and account.closed_at is None:
        account.closed_at = here.now
        record(here, "account-closed", account, before={"open": True}, after={"open": False})
        end_all_sessions(here, account, "closed")
    if not over and account.closed_at is not None:
        account.closed_at = None
        record(here, "account-reopened", account, before={"open": False}, after={"open": True})


def _review_at(here: Here, folded: Folded, decisions: Iterable[Decision]) -> datetime | None:
    """The next moment at which the same orders and decisions mean something else."""
    zone = here.service.zone
    moments = [start_of(day, zone) for day in folded.pending]
    if (change := next_review(folded.affiliations, here.now, zone, decisions)) is not None:
        moments.append(change)
    return min(moments, default=None)
