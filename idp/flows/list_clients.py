"""The clients that are registered now, and the systems they may belong to."""

from collections.abc import Sequence

import sqlalchemy as sa

from idp.db import db
from idp.models import Client, System


def list_clients(most: int | None = None, after: str | None = None) -> Sequence[Client]:
    """In the order of their registration: at most so many, after the client of the id `after` (of nobody: none)."""
    wanted = sa.select(Client).where(Client.removed_at.is_(None)).order_by(Client.id).limit(most)
    if after is not None:
        behind = sa.select(Client.id).where(Client.client_id == after).scalar_subquery()
        wanted = wanted.where(Client.id > behind)
    return db.session.scalars(wanted).all()


def known_systems(language: str) -> dict[str, str]:
    """The systems a client may belong to: code -> name, in the order of the names."""
    rows = db.session.execute(sa.select(System.code, System.names)).all()
    return dict(sorted(((row.code, row.names[language]) for row in rows), key=lambda named: named[1]))
