"""locks that a worker tells of"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lock_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lock_notice_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock_notice")),
    )
    op.create_index(op.f("ix_lock_notice_run_at"), "lock_notice", ["run_at"])


def downgrade() -> None:
    op.drop_table("lock_notice")
