"""Leaving a system alone in which nothing works, telling ООЦИ, and going on at once when it works again (Regulation 3.5;
connector contract, rule 5).

The queue is kept: tasks wait, and their deadlines run.
"""

import sqlalchemy as sa

from idp.db import db, insert
from idp.errors import Forbidden
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.models import Account, Circuit, Officer, Task
from policies.circuit import CircuitRules, counts, rest
from policies.deadlines import local_day
from policies.permissions import Whom, may

RULES = CircuitRules()


def note_failure(here: Here, system: str, outcome: str, reason: str) -> None:
    """A task of `system` has failed with this outcome of the connector contract."""
    if not counts(outcome):
        return
    failed = insert(Circuit).values(system=system, failures=1, reason=reason)
    row = db.session.execute(
        failed.on_conflict_do_update(
            index_elements=[Circuit.system], set_={"failures": Circuit.failures + 1, "reason": reason}
        ).returning(Circuit.failures, Circuit.opened_at)
    ).one()
    long = rest(outcome, row.failures, RULES)
    if long is None:
        return
    _set(system, opened_at=row.opened_at or here.now, retry_at=here.now + long)
    if row.opened_at is None:
        record(here, "circuit-opened", subject=f"system/{system}", after={"reason": reason})
    _tell(here, system, reason)


def note_success(here: Here, system: str) -> None:
    """Something worked: whatever waits for `system` is due now."""
    closed = db.session.execute(sa.delete(Circuit).where(Circuit.system == system).returning(Circuit.opened_at)).first()
    if closed is None or closed.opened_at is None:
        return
    record(here, "circuit-closed", subject=f"system/{system}", before={"since": closed.opened_at})
    _hurry(here, system)


def try_now(here: Here, system: str) -> Refusal | None:
    """As an administrator who has repaired it.  Refusal: ``gone``, it is not stopped.  Raises `Forbidden`."""
    if here.who is None or not may("reconcile", here.who, Whom(None, frozenset(), None), here.now):
        raise Forbidden("reconcile")
    stopped = db.session.scalar(sa.select(Circuit.opened_at).where(Circuit.system == system))
    if stopped is None:
        return Refusal("gone")
    _set(system, retry_at=here.now)
    _hurry(here, system)
    record(here, "circuit-tried", subject=f"system/{system}")
    return None


def _set(system: str, **values: object) -> None:
    db.session.execute(sa.update(Circuit).where(Circuit.system == system).values(**values))


def _hurry(here: Here, system: str) -> None:
    """What waits for its next try is due now; the sweep finds it."""
    db.session.execute(
        sa.update(Task)
        .where(Task.system == system, Task.status == "waiting", Task.run_at > here.now, Task.lease_until.is_(None))
        .values(run_at=here.now)
        .execution_options(synchronize_session=False)
    )


def _tell(here: Here, system: str, reason: str) -> None:
    """Every administrator, once a day."""
    today = local_day(here.now, here.service.zone)
    current = sa.select(Officer.account_id).where(
        Officer.role == "admin", Officer.from_ <= here.now, sa.or_(Officer.until.is_(None), Officer.until > here.now)
    )
    for account_id in db.session.scalars(current.distinct()).all():
        account = db.session.get_one(Account, account_id)
        key, link = f"stopped/{system}/{today}/{account_id}", f"{here.service.settings.base_url}/admin/systems"
        send_message(here, account, "system-stopped", key, to=account.email, system=system, reason=reason, link=link)
