"""Files with the confirmation of a task by hand: kept sealed, given out to whoever may see the sheet (3.5, 3.7).

Leaves alone which files are taken (`policies/attachments.py`) and who may see a sheet.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp.db import db
from idp.flows.here import Here
from idp.models import Attachment, Task
from policies.attachments import called, media_type


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it came: the name it is said to have, and what is in it."""

    name: str
    data: bytes

    @property
    def told(self) -> dict[str, str]:
        """Name and hash, for the sheet and the audit trail; never the content."""
        return {"file": called(self.name, media_type(self.data) or ""), "sha256": sha256(self.data).hexdigest()}


def keep_attachment(here: Here, task_id: UUID, sent: Sent) -> None:
    """Keep a file that was found to be one we take."""
    row_id, told = uuid7(), sent.told
    sealed = here.service.vault.seal(b64encode(sent.data).decode(), f"attachment/{row_id}")
    db.session.add(
        Attachment(
            id=row_id, task_id=task_id, name=told["file"], media_type=media_type(sent.data), size=len(sent.data),
            sha256=told["sha256"], content=sealed, added_at=here.now, added_by=here.actor,
        )
    )  # fmt: skip


def attachment_of(here: Here, attachment_id: UUID, *whose: sa.ColumnElement[bool]) -> tuple[Attachment, bytes] | None:
    """The file and its content, if its task is one of `whose`."""
    found = db.session.scalar(
        sa.select(Attachment).join(Task, Task.id == Attachment.task_id).where(Attachment.id == attachment_id, *whose)
    )
    if found is None:
        return None
    return found, b64decode(here.service.vault.open(found.content, f"attachment/{found.id}"))
