"""One task: bring one account in one system to what is wanted of it now (3.5, 3.7; design, decision 8).

What is wanted is read when acting, so an older revision never overwrites a newer one.  No transaction is open while
the target is called.  The outcome, what was read back and the audit record are one transaction, fenced by the claim.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from connectors.base import Correlation, OutcomeKind, TargetError, Wanted
from idp.db import db, reader, unit_of_work
from idp.flows.circuits import note_failure, note_success
from idp.flows.finish_order import finish_order
from idp.flows.here import Here, at_work
from idp.flows.record import record
from idp.flows.want_access import want_again, work_of
from idp.flows.work import leave_work
from idp.log import log
from idp.models import Account, Link, Task
from idp.provisioning.bring import Brought, bring
from idp.provisioning.lease import Claim, claim, get_back
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, next_attempt

TRIES = 3  # of writing down what was done
NOT_CONNECTED = timedelta(minutes=5)  # how soon a system without a connection is looked at again


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed task as plain values: nothing is read from the database while the target is called."""

    task_id: UUID
    account_id: UUID
    system: str
    wanted: Wanted
    key: Correlation
    attempt: int


def converge(workshop: Workshop, task_id: UUID) -> None:
    """Claim the task, act, settle.  Does nothing when it is not due or somebody else has it."""
    held = claim(Task, task_id, workshop.owner(), workshop.service.clock.now(), workshop.lease)
    if held is None:
        return
    job = _load(held)
    outcome = _act(workshop, job)
    for tries_left in reversed(range(TRIES)):
        try:
            with unit_of_work(), db.session.no_autoflush:  # each row is written once, see `finish_order`
                _settle(workshop, at_work(workshop.service, "worker"), held, job, outcome)
            break
        except OperationalError:  # a deadlock, a lost connection: giving up would mean doing it all again
            if not tries_left:
                raise


def _load(held: Claim) -> Job:
    columns = (
        Task.account_id, Task.system, Account.login, Account.email,
        Link.revision, Link.active, Link.attributes, Link.remote_id,
    )  # fmt: skip
    with reader().connect() as connection:
        row = connection.execute(
            sa.select(*columns)
            .join(Account, Account.id == Task.account_id)
            .join(Link, (Link.account_id == Task.account_id) & (Link.system == Task.system))
            .where(Task.id == held.id)
        ).one()
    return Job(
        task_id=held.id,
        account_id=row.account_id,
        system=row.system,
        wanted=Wanted(str(row.account_id), row.revision, row.active, row.attributes),
        key=Correlation(str(row.account_id), row.remote_id, row.login, row.email),
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
    """Rows are locked in one order everywhere: task, link, order."""
    task: Task | None = get_back(held, here.now)
    link = db.session.scalars(
        sa.select(Link).where(Link.account_id == job.account_id, Link.system == job.system).with_for_update()
    ).one()
    account = db.session.get_one(Account, job.account_id)
    if task is None:
        _too_late(here, account, link, outcome)
    elif isinstance(outcome, Brought):
        _done(here, account, link, task, job, outcome)
    elif outcome is None:
        task.run_at, task.last_error = here.now + NOT_CONNECTED, _not_connected(job.system)
    else:
        _failed(workshop, here, account, task, outcome)
    if task is not None and task.status == "superseded":
        task.run_at = None
        _wake_successor(task)


def _done(here: Here, account: Account, link: Link, task: Task, job: Job, brought: Brought) -> None:
    """The target is as wanted.  Of a task superseded meanwhile only what was seen there is kept."""
    note_success(here, task.system)
    if task.status == "waiting":
        task.status, task.done_at, task.done_by = "done", here.now, "worker"
        task.run_at = task.last_error = None
    subject, seen = f"system/{task.system}", brought.as_json()
    record(here, f"access-{task.action}-done", account, subject=subject, before=link.seen or {}, after=seen)
    link.remote_id = brought.remote.id if brought.remote else link.remote_id
    task.read_back = link.seen = seen
    link.verified_at = here.now
    link.applied_revision = max(link.applied_revision, job.wanted.revision)
    if task.order_pk is not None:
        db.session.flush()
        finish_order(here, task.order_pk)


def _failed(workshop: Workshop, here: Here, account: Account, task: Task, error: TargetError) -> None:
    """Try again when the rules say so, else hand the task to an officer."""
    task.failures += error.kind is not OutcomeKind.THROTTLED  # being slowed down is nobody's failure
    task.last_error = f"{error.kind.value}: {error.detail}"
    note_failure(here, task.system, error.kind.value, task.last_error)
    again = next_attempt(
        error.kind.value, max(task.failures, 1), task.first_tried_at or here.now, here.now, workshop.chance(),
        error.retry_after, RetryRules(),
    )  # fmt: skip
    if task.status == "waiting":
        task.run_at, task.status = again, "waiting" if again else "failed"
    log.warning("target-failed", system=task.system, task=str(task.id), outcome=error.kind.value, detail=error.detail)
    after = {"outcome": error.kind.value, "again_at": again}
    record(here, f"access-{task.action}-failed", account, subject=f"system/{task.system}", after=after)


def _too_late(here: Here, account: Account, link: Link, outcome: Brought | TargetError | None) -> None:
    """The claim has passed to somebody else, and our last call may have come after theirs: look once more."""
    log.warning("too-late", system=link.system, account=str(account.id))
    if outcome is not None:
        want_again(here, account, link)


def _wake_successor(task: Task) -> None:
    """Whoever was woken for the newer revision meanwhile found the account busy."""
    newer = sa.select(Task).where(
        Task.account_id == task.account_id, Task.system == task.system, Task.status == "waiting"
    )
    for successor in db.session.scalars(newer):
        leave_work(work_of(successor))


def _not_connected(system: str) -> str:
    return f"no connection to {system} is set up (settings: targets.{system})"
