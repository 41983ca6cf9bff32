"""looking through systems, and what was found there"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
RUNNING = sa.text("finished_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "scan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor", sa.String(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_scan_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index(op.f("ix_scan_run_at"), "scan", ["run_at"])
    op.create_index(op.f("ix_scan_system"), "scan", ["system"])
    op.create_index("uq_scan_running", "scan", ["system"], unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING)
    op.create_table(
        "finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("details", JSON, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["scan_id"], ["scan.id"], name=op.f("fk_finding_scan_id_scan")),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_finding_system_system")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_finding_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_scan_id"), "finding", ["scan_id"])
    op.create_index(op.f("ix_finding_system"), "finding", ["system"])
    with op.batch_alter_table("link") as batch:
        batch.add_column(sa.Column("scan_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(op.f("fk_link_scan_id_scan"), "scan", ["scan_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("link") as batch:
        batch.drop_constraint(op.f("fk_link_scan_id_scan"), type_="foreignkey")
        batch.drop_column("scan_id")
    op.drop_table("finding")
    op.drop_table("scan")
