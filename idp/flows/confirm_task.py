"""An officer's word that a task by hand is done: the read-back of a system without an API (3.5, 3.7)."""

import sqlalchemy as sa

from idp.db import db
from idp.errors import Forbidden
from idp.flows.attachments import Sent, keep_attachment
from idp.flows.departments import departments_ever
from idp.flows.finish_order import finish_order
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.models import Account, Link, Task
from policies.attachments import wrong_with
from policies.permissions import Whom, may
from policies.remarks import remark


def confirm_task(here: Here, task: Task, note: str, sent: Sent | None = None) -> Refusal | None:
    """Note that `task` was carried out by hand, and keep the file that shows it, if one was `sent`.

    None when done; refusals: ``note-required``, ``gone``, and those of `policies.attachments.wrong_with`.

    Raises `Forbidden` for officers of other departments or systems, and for one's own account.
    """
    account = db.session.get_one(Account, task.account_id)
    whom = Whom(str(account.id), departments_ever([account.person_id]).get(account.person_id, frozenset()), task.system)
    if here.who is None or not may("confirm-task", here.who, whom, here.now):
        raise Forbidden("confirm-task")
    told = remark(note)
    if not told:
        return Refusal("note-required")
    if sent is not None and (wrong := wrong_with(sent.data)):
        return Refusal(wrong)
    file = sent.told if sent else {}
    if not _settle(here, task, told, file):
        return Refusal("gone")
    if sent is not None:
        keep_attachment(here, task.id, sent)
    _mark_link(here, task)
    after = {"status": "done", "note": told} | file
    subject = f"system/{task.system}"
    record(here, "task-confirmed", account, subject=subject, before={"status": task.status}, after=after)
    if task.order_pk is not None:
        finish_order(here, task.order_pk)
    return None


def _settle(here: Here, task: Task, told: str, file: dict[str, str]) -> bool:
    """Whoever does it at the same time, one succeeds."""
    settled = db.session.scalar(
        sa.update(Task)
        .where(Task.id == task.id, Task.status.in_(["manual", "failed"]))
        .values(
            status="done",
            done_at=here.now,
            done_by=here.actor,
            note=told,
            read_back={"confirmed_by": here.actor, "note": told} | file,
            run_at=None,
            last_error=None,
        )
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    return settled is not None


def _mark_link(here: Here, task: Task) -> None:
    db.session.execute(
        sa.update(Link)
        .where(Link.account_id == task.account_id, Link.system == task.system, Link.applied_revision < task.revision)
        .values(applied_revision=task.revision, verified_at=here.now)
        .execution_options(synchronize_session=False)
    )
