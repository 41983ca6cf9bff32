"""Whether the database is as new as the code: the question of every process that starts.

Changing it is Alembic's work (`migrations/`), which the running service does without: it would cost each process eight
megabytes to look at one row.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

NAMED = re.compile(r'^(down_)?revision\b[^=\n]*= "(\w+)"$', re.MULTILINE)


def is_current(engine: Engine) -> bool:
    """Whether the database has every revision the code knows."""
    if not sa.inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        present = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return present == newest_revision()


def newest_revision() -> str:
    """The revision that no other names as the one before it.  Raises `ValueError` when there are two."""
    found = find_spec("migrations")  # finds the package without importing it
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise FileNotFoundError("the package migrations")
    texts = [file.read_text("utf8") for file in (Path(folders[0]) / "versions").glob("*.py")]
    named: list[tuple[str, str]] = [match for text in texts for match in NAMED.findall(text)]
    [newest] = {name for before, name in named if not before} - {name for before, name in named if before}
    return newest
