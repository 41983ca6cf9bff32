"""reports of unauthorised access, one open case for an account"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "misuse_report",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("told", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_misuse_report_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_misuse_report")),
    )
    op.create_index(
        "uq_misuse_report_open",
        "misuse_report",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_misuse_report_account_id_closed_at", "misuse_report", ["account_id", "closed_at"], unique=False)


def downgrade() -> None:
    op.drop_table("misuse_report")
