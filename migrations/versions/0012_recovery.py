"""links for forgotten passwords, and the requests for them"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_recovery_token_digest")),
    )
    op.create_index(op.f("ix_recovery_account_id"), "recovery", ["account_id"], unique=False)
    op.create_table(
        "recovery_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("forgotten", sa.String(), nullable=False),
        sa.Column("entered", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_request")),
    )
    op.create_index(op.f("ix_recovery_request_run_at"), "recovery_request", ["run_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_recovery_request_run_at"), table_name="recovery_request")
    op.drop_table("recovery_request")
    op.drop_index(op.f("ix_recovery_account_id"), table_name="recovery")
    op.drop_table("recovery")
