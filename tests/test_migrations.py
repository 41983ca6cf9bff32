"""The revisions build exactly the tables of the models, on both databases, there and back, with data."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from uuid_utils.compat import uuid7

import idp.models
import migrations
from idp.db import Base
from idp.models import Acceptance, Activation, AgreementText, Client, Consent
from idp.schema import is_current, newest_revision
from tests.builders import Make
from tests.idp.details import CONTACTS, Desk


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    yield engine
    engine.dispose()


def test_the_revisions_build_the_tables_of_the_models(engine: sa.Engine) -> None:
    assert idp.models.__all__
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_constraint_and_index_has_the_name_the_models_give_it(engine: sa.Engine) -> None:
    found = sa.inspect(engine)
    for table in Base.metadata.tables.values():
        assert {item["name"] for item in found.get_unique_constraints(table.name)} == {
            str(constraint.name) for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)
        }
        ours = {str(index.name) for index in table.indexes}
        assert ours <= {item["name"] for item in found.get_indexes(table.name)}


def test_down_and_up_again_leaves_the_same_empty_tables(engine: sa.Engine, database_url: str) -> None:
    migrations.downgrade(database_url, "base")
    assert set(sa.inspect(engine).get_table_names()) == {"alembic_version"}
    migrations.upgrade(database_url)
    assert set(sa.inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_up_and_down_with_data(make: Make, engine: sa.Engine, database_url: str) -> None:
    """Each revision must stand data in the tables; the first can only drop it."""
    make.officer("bakyt")
    Desk(make).contacts(make.account(**CONTACTS), work_phone="+996555123456", personal_email="a@example.net")
    for revision in _from_newest():
        migrations.downgrade(database_url, revision)
    migrations.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM account")).scalar() == 0


def test_consent_from_before_resources_covers_none(make: Make, engine: sa.Engine, database_url: str) -> None:
    account = make.account("aida").id
    migrations.downgrade(database_url, "0009")
    client, now = uuid7(), make.clock.now()
    before = ("id", "account_id", "client_id", "scopes", "claims", "authorization_details", "given_at")
    consent = sa.table("consent", *(sa.column(name, Consent.__table__.c[name].type) for name in before))
    given = dict(zip(before, (client, account, client, [], [], [], now), strict=True))
    with engine.begin() as connection:
        connection.execute(sa.insert(Client).values(id=client, client_id="x", registration={}, created_at=now))
        connection.execute(sa.insert(consent).values(given))
    migrations.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(Consent.resources)).scalars().all() == [[]]


def test_a_slip_is_no_link_for_the_code_of_before(make: Make, engine: sa.Engine, database_url: str) -> None:
    account, now = make.account("aida").id, make.clock.now()
    same: dict[str, Any] = {"account_id": account, "issued_at": now, "expires_at": now, "issued_by": "test"}
    with engine.begin() as connection:
        for slip in (True, False):
            connection.execute(sa.insert(Activation).values(id=uuid7(), token_digest=str(slip), slip=slip, **same))
    migrations.downgrade(database_url, "0015")
    with engine.connect() as connection:
        voided = dict(connection.execute(sa.text("SELECT token_digest, voided_at IS NOT NULL FROM activation")).all())
    assert voided == {"True": True, "False": False}
    migrations.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(Activation.slip)).scalars().all() == [False, False]


def test_what_was_accepted_before_texts_were_kept_stays_accepted(
    make: Make, engine: sa.Engine, database_url: str
) -> None:
    account = make.account("aida").id
    migrations.downgrade(database_url, "0016")
    migrations.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(AgreementText)).scalar() == 0
        kept = connection.execute(sa.select(Acceptance.sha256).where(Acceptance.account_id == account)).scalars()
        assert set(kept) == {one.sha256 for one in make.service.profile.in_force}


def _from_newest() -> list[str]:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [str(revision.down_revision or "base") for revision in script.walk_revisions()]


def test_upgrading_twice_changes_nothing(make: Make, engine: sa.Engine, database_url: str) -> None:
    make.account("aida")
    migrations.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT login FROM account")).scalars().all() == ["aida"]


def test_a_database_behind_the_code_is_noticed(engine: sa.Engine, database_url: str) -> None:
    assert is_current(engine)
    migrations.downgrade(database_url, "base")
    assert not is_current(engine)


def test_there_is_one_line_of_revisions() -> None:
    script: Any = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    assert script.get_current_head() == newest_revision(), "the running service reads it without Alembic"


def test_a_web_process_does_without_what_only_workers_and_commands_need() -> None:
    """Each megabyte of it would be there in every web process."""
    loaded = "import sys, idp.wsgi; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout.split()
    assert not {"alembic", "mako", "ldap3", "scim2_client", "scim2_models", "scim2_server", "scim2_flask"} & set(
        modules
    )
