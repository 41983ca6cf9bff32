"""Sign-in sessions: starting, finding, ending (5.4-5.6; ASVS V7).

A session is alive while it has not ended, is within its limits, and its account is open: a dismissal needs nothing
else to run to take effect.  Looking one up is a hot path: one read, no transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.crypto import digest, new_token
from idp.db import db, gathered
from idp.flows.here import Here
from idp.flows.new_device import tell_of_new_device
from idp.flows.record import Named, record
from idp.flows.tell_clients import tell_clients
from idp.models import Acceptance, Account, AffiliationRow, Factor, Grant, Link, Officer, Session
from idp.prepared import Prepared
from policies.assurance import PASSWORD
from policies.permissions import Appointment
from policies.sessions import SessionRules, alive

SEEN_EVERY = timedelta(minutes=1)  # how exactly `last_seen_at` is kept
AT_ONCE = 500  # sessions that are ended in one transaction only because their time is over


@dataclass(frozen=True, slots=True)
class Holder:
    """The account behind a session; enough for `record`, without its row."""

    id: UUID
    login: str


@dataclass(frozen=True, slots=True)
class LiveSession:
    """What a look-up tells of the session behind a cookie, and of what its account has that decides about sign-ins:
    by which `kinds` its person belongs or will, agreements it `accepted` (digests) and `systems` it may use (codes)."""

    id: UUID
    account_id: UUID
    login: str
    started_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    amr: tuple[str, ...]
    kinds: frozenset[str]
    accepted: frozenset[str]
    systems: frozenset[str]
    has_factor: bool
    appointments: tuple[Appointment, ...]

    @property
    def account(self) -> Holder:
        """Whose it is, as `record` names accounts."""
        return Holder(self.account_id, self.login)

    def alive(self, now: datetime, rules: SessionRules) -> bool:
        """Whether it is within the limits of `rules`."""
        return alive(self.started_at, self.last_seen_at, now, rules)


LOOK_UP = Prepared(
    sa.select(
        Session.id, Session.account_id, Account.login,
        Session.started_at, Session.authenticated_at, Session.last_seen_at, Session.amr,
        sa.select(gathered(AffiliationRow.kind)).where(
            AffiliationRow.person_id == Account.person_id,
            AffiliationRow.lasts(sa.bindparam("day"), sa.bindparam("now")),
        ).scalar_subquery().label("kinds"),
        sa.select(gathered(Acceptance.sha256))
        .where(Acceptance.account_id == Account.id).scalar_subquery().label("accepted"),
        sa.select(gathered(Link.system))
        .where(Link.account_id == Account.id, Link.active.is_(True)).scalar_subquery().label("systems"),
        sa.select(sa.func.count(Factor.id))
        .where(Factor.account_id == Account.id, Factor.confirmed_at.is_not(None)).scalar_subquery().label("factors"),
        Officer.role, Officer.department, Officer.system, Officer.from_, Officer.until,
    )
    .join(Account, Account.id == Session.account_id)
    .join(Officer, Officer.account_id == Account.id, isouter=True)
    .where(
        Session.token_digest == sa.bindparam("digest"),
        Session.ended_at.is_(None),
        Account.opens_at <= sa.bindparam("now"),
        sa.or_(Account.closes_at.is_(None), Account.closes_at > sa.bindparam("now")),
    )
)  # fmt: skip
BEGIN = Prepared.insert(Session, "ended_at", "end_reason")


def start_session(here: Here, account: Named, amr: Sequence[str] = PASSWORD) -> str:
    """Begin a session for `account`; the answer is the cookie's value, which nobody else will ever see.

    `amr` says how the person proved themselves (RFC 8176).

    Who is signed in already in this browser goes on under a new cookie (ASVS 7.2.4), and what clients hold stays;
    somebody else's session in this browser ends.
    """
    token = new_token()
    if here.session_id is not None and here.account_id == account.id and _renew(here, here.session_id, token, amr):
        return token
    if here.session_id is not None:
        end_session(here, here.session_id, "replaced")
    tell_of_new_device(here, account)
    BEGIN.all(
        db.session.connection(),
        id=uuid7(),
        account_id=account.id,
        token_digest=digest(token),
        started_at=here.now,
        authenticated_at=here.now,
        last_seen_at=here.now,
        amr=list(amr),
        address=here.address,
        agent=here.agent[:200],
        device_digest=digest(here.device) if here.device else None,
    )
    return token


def _renew(here: Here, session_id: UUID, token: str, amr: Sequence[str]) -> bool:
    """False when it has ended in the meantime."""
    fresh = {"started_at": here.now, "authenticated_at": here.now, "last_seen_at": here.now, "amr": list(amr)}
    renewed = db.session.execute(
        sa.update(Session)
        .where(Session.id == session_id, Session.ended_at.is_(None))
        .values(token_digest=digest(token), **fresh)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    return renewed.first() is not None


def find_session(token: str, now: datetime) -> LiveSession | None:
    """The session behind a cookie, not ended and of an open account; its limits are the caller's to check.

    Whether an affiliation is over is told by the UTC day, a few hours late at most: it asks nothing else than agreements.
    """
    rows = LOOK_UP.all(digest=digest(token), now=now, day=now.date())
    if not rows:
        return None
    row = rows[0]
    return LiveSession(
        id=row.id,
        account_id=row.account_id,
        login=row.login,
        started_at=row.started_at,
        authenticated_at=row.authenticated_at,
        last_seen_at=row.last_seen_at,
        amr=tuple(row.amr),
        kinds=frozenset(row.kinds or ()),
        accepted=frozenset(row.accepted or ()),
        systems=frozenset(row.systems or ()),
        has_factor=row.factors > 0,
        appointments=tuple(Appointment(*row[-5:]) for row in rows if row.role),
    )


def touch_session(session: LiveSession, now: datetime) -> None:
    """Note that the session is in use, at most once a minute; by itself, so that looking at a page holds no lock."""
    if now - session.last_seen_at >= SEEN_EVERY:
        with db.engine.begin() as connection:
            connection.execute(sa.update(Session).where(Session.id == session.id).values(last_seen_at=now))


def end_session(here: Here, session_id: UUID, reason: str) -> int:
    """End one session and what clients hold through it; 0 when it had ended already."""
    return _end(here, Session.id == session_id, reason)


def end_all_sessions(here: Here, account: Named, reason: str, but: Sequence[UUID] = ()) -> int:
    """End every session of `account` (except `but`), revoke what clients hold, also through those that
    ended without it (`end_outlived_sessions`); how many ended."""
    ended = len(_mark_ended(here, sa.and_(Session.account_id == account.id, Session.id.not_in(but)), reason))
    _revoke(here, sa.and_(Grant.account_id == account.id, Grant.session_id.not_in(but)), reason)
    record(here, "sessions-ended", account, before={"open": ended}, after={"open": len(but), "reason": reason})
    return ended


def end_outlived_sessions(here: Here) -> int:
    """End the sessions that are past their longest life, so that clients hear of it too; how many ended.

    What clients hold goes on to its own limits (`policies/tokens.py`).  A session that only rests for too long is not
    ended: it opens nothing here any more, but who still works in a system should not be thrown out there.  At most
    `AT_ONCE` of them.
    """
    began = here.now - here.service.profile.rules.session.absolute
    some = sa.select(Session.id).where(Session.ended_at.is_(None), Session.started_at <= began).limit(AT_ONCE)
    return len(_mark_ended(here, Session.id.in_(some), "outlived"))


def _end(here: Here, which: sa.ColumnElement[bool], reason: str) -> int:
    ended = _mark_ended(here, which, reason)
    _revoke(here, Grant.session_id.in_(ended), reason)
    return len(ended)


def _revoke(here: Here, which: sa.ColumnElement[bool], reason: str) -> None:
    db.session.execute(
        sa.update(Grant)
        .where(which, Grant.revoked_at.is_(None))
        .values(revoked_at=here.now, revoke_reason=reason)
        .execution_options(synchronize_session=False)
    )


def _mark_ended(here: Here, which: sa.ColumnElement[bool], reason: str) -> Sequence[UUID]:
    """End them, and leave word for every client that was signed in to through them (5.6)."""
    ended: Sequence[UUID] = db.session.scalars(
        sa.update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=here.now, end_reason=reason)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    ).all()
    tell_clients(here, ended)
    return ended
