"""clients that are to be told that a session has ended"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "logout_notice",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_logout_notice_account_id_account")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_logout_notice_client_id_client")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_logout_notice_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logout_notice")),
        sa.UniqueConstraint("session_id", "client_id", name=op.f("uq_logout_notice_session_id_client_id")),
    )
    op.create_index(op.f("ix_logout_notice_run_at"), "logout_notice", ["run_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_logout_notice_run_at"), table_name="logout_notice")
    op.drop_table("logout_notice")
