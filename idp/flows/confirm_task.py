"""An officer's word that a task by hand is done: the read-back of a system without an API (3.5, 3.7)."""

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.departments import departments_ever
from idp.flows.finish_order import finish_order
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Account, Link, Task
from policies.permissions import Whom, may
from policies.remarks import remark


def confirm_task(here: Here, task: Task, note: str) -> Refusal | None:
    """Note that `task` was carried out by hand.  None when done; refusals: ``note-required``, ``gone``.

    Raises `Forbidden` for officers of other departments or systems, and for one's own account.
    """
    account = db.session.get_one(Account, task.account_id)
    whom = Whom(str(account.id), departments_ever([account.person_id]).get(account.person_id, frozenset()), task.system)
    if here.who is None or not may("confirm-task", here.who, whom, here.now):
        raise Forbidden("confirm-task")
    told = remark(note)
    if not told:
        return Refusal("note-required")
    confirmed = db.session.scalar(
        sa.update(Task)
        .where(Task.id == task.id, Task.status.in_(["manual", "failed"]))
        .values(
            status="done",
            done_at=here.now,
            done_by=here.actor,
            note=told,
            read_back={"confirmed_by": here.actor, "note": told},
            run_at=None,
            last_error=None,
        )
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    if confirmed is None:
        return Refusal("gone")
    _mark_link(here, task)
    after = {"status": "done", "note": told}
    subject = f"system/{task.system}"
    record(here, "task-confirmed", account, subject=subject, before={"status": task.status}, after=after)
    if task.order_pk is not None:
        finish_order(here, task.order_pk)
    return None


def _mark_link(here: Here, task: Task) -> None:
    db.session.execute(
        sa.update(Link)
        .where(Link.account_id == task.account_id, Link.system == task.system, Link.applied_revision < task.revision)
        .values(applied_revision=task.revision, verified_at=here.now)
        .execution_options(synchronize_session=False)
    )
