"""Whether the process lives, and whether it can do its work."""

import sqlalchemy as sa
from flask import Blueprint

from idp.db import reader

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/live")
def live() -> dict[str, str]:
    return {"status": "alive"}


@bp.get("/ready")
def ready() -> dict[str, str]:
    """Fails (500) when the database does not answer."""
    with reader().connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    return {"status": "ready"}
