"""what other systems are to be told of"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(JSONB, "postgresql"), nullable=False),
        sa.Column("txn", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_event_notice_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_notice")),
    )
    op.create_index(op.f("ix_event_notice_run_at"), "event_notice", ["run_at"], unique=False)
    op.create_index("ix_event_notice_topic", "event_notice", ["receiver", "topic", "status"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_event_notice_topic", table_name="event_notice")
    op.drop_index(op.f("ix_event_notice_run_at"), table_name="event_notice")
    op.drop_table("event_notice")
