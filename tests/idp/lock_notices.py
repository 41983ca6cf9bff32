"""The worker's part of a lock."""

import sqlalchemy as sa

from idp.db import db
from idp.models import LockNotice
from idp.provisioning.carry_out import carry_out
from idp.provisioning.workshop import open_workshop
from tests.builders import Make


def tell_locks(make: Make) -> None:
    """What a worker does about all locks that nobody was told of yet."""
    workshop = open_workshop(make.app)
    with make.app.app_context():
        waiting = db.session.scalars(sa.select(LockNotice.id)).all()
        db.session.remove()
    for notice in waiting:
        carry_out(workshop, "lock", notice)
