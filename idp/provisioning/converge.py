"""One task: bring one account in one system to what is wanted of it now (3.5, 3.7; design, decision 8).

What is wanted is read again when acting, so an older revision never overwrites a newer one.  The outcome, what was
read back and the audit record are one transaction, fenced by the claim.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from connectors.base import Correlation, OutcomeKind, TargetError, Wanted
from idp.db import db, unit_of_work
from idp.flows.apply_order import finish_order
from idp.flows.here import Here, at_work
from idp.flows.record import record
from idp.flows.want_access import work_of
from idp.flows.work import leave_work
from idp.log import log
from idp.models import Account, Link, Task
from idp.provisioning.bring import Brought, bring
from idp.provisioning.lease import Claim, claim, finish
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, next_attempt

NOT_CONNECTED = timedelta(minutes=5)  # how soon a system without a connection is looked at again


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed task as plain values: nothing is read from the database while the target is called."""

    task_id: UUID
    account_id: UUID
    system: str
    wanted: Wanted
    key: Correlation
    failures: int
    attempt: int


def converge(workshop: Workshop, task_id: UUID) -> None:
    """Claim the task, act, finish.  Does nothing when it is not due or somebody else has it."""
    now = workshop.service.clock.now()
    held = claim(Task, task_id, workshop.owner(), now, workshop.lease)
    if held is None:
        return
    job = _load(workshop, held)
    outcome = _act(workshop, job)
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        _settle(workshop, here, held, job, outcome)


def _load(workshop: Workshop, held: Claim) -> Job:
    with unit_of_work():
        task = db.session.get_one(Task, held.id)
        if task.first_tried_at is None:
            task.first_tried_at = workshop.service.clock.now()
        account = db.session.get_one(Account, task.account_id)
        link = _link(task.account_id, task.system)
        return Job(
            task_id=task.id,
            account_id=account.id,
            system=task.system,
            wanted=Wanted(str(account.id), link.revision, link.active, dict(link.attributes)),
            key=Correlation(str(account.id), link.remote_id, account.login, account.email),
            failures=task.failures,
            attempt=held.attempt,
        )


def _act(workshop: Workshop, job: Job) -> Brought | TargetError | None:
    """None when the system has no connection; a crash of a connector is its failure, not the worker's."""
    connector = workshop.targets.get(job.system)
    if connector is None:
        return None
    try:
        return bring(connector, job.wanted, job.key, op=f"{job.task_id}/{job.attempt}")
    except TargetError as error:
        return error
    except Exception as error:
        log.error("connector-crash", system=job.system, task=str(job.task_id), exc_info=error)
        return TargetError(OutcomeKind.UNKNOWN, f"the connector failed ({type(error).__name__})")


def _settle(workshop: Workshop, here: Here, held: Claim, job: Job, outcome: Brought | TargetError | None) -> None:
    if isinstance(outcome, Brought):
        _done(here, held, job, outcome)
    elif outcome is None:
        waited = f"no connection to {job.system} is set up (settings: targets.{job.system})"
        finish(held, run_at=here.now + NOT_CONNECTED, last_error=waited)
    else:
        _failed(workshop, here, held, job, outcome)


def _done(here: Here, held: Claim, job: Job, brought: Brought) -> None:
    """The target is as wanted.  Of a task superseded meanwhile only what was seen there is kept."""
    task = db.session.get_one(Task, held.id, with_for_update=True)
    done: dict[str, Any] = {}
    if task.status == "waiting":
        done = {"status": "done", "done_at": here.now, "done_by": "worker", "run_at": None, "last_error": None}
    if not finish(held, read_back=brought.as_json(), **done):
        return
    link = _link(job.account_id, job.system)
    before = link.seen
    if brought.remote is not None:
        link.remote_id = brought.remote.id
    link.seen, link.verified_at = brought.as_json(), here.now
    link.applied_revision = max(link.applied_revision, job.wanted.revision)
    account = db.session.get_one(Account, job.account_id)
    subject, after = f"system/{job.system}", brought.as_json()
    record(here, f"access-{task.action}-done", account, subject=subject, before=before or {}, after=after)
    if task.order_pk is not None:
        db.session.flush()
        finish_order(here, task.order_pk)


def _failed(workshop: Workshop, here: Here, held: Claim, job: Job, error: TargetError) -> None:
    """Try again when the rules say so, else hand the task to an officer."""
    task = db.session.get_one(Task, held.id, with_for_update=True)
    failures = job.failures + (0 if error.kind is OutcomeKind.THROTTLED else 1)
    started = task.first_tried_at or here.now
    again = next_attempt(
        error.kind.value, max(failures, 1), started, here.now, workshop.chance(), error.retry_after, RetryRules()
    )
    values: dict[str, Any] = {"failures": failures, "last_error": f"{error.kind.value}: {error.detail}"}
    if task.status == "waiting":
        values |= {"run_at": again} if again else {"run_at": None, "status": "failed"}
    if not finish(held, **values):
        return
    log.warning("target-failed", system=job.system, task=str(job.task_id), outcome=error.kind.value, detail=error.detail)
    account = db.session.get_one(Account, job.account_id)
    after = {"outcome": error.kind.value, "again_at": again}
    record(here, f"access-{task.action}-failed", account, subject=f"system/{job.system}", after=after)
    db.session.refresh(task)
    if again is not None and task.run_at is not None:
        leave_work(work_of(task))


def _link(account_id: UUID, system: str) -> Link:
    return db.session.scalars(sa.select(Link).where(Link.account_id == account_id, Link.system == system)).one()
