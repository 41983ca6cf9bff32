"""what officers give one account beyond the rules, and what they forbid it"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_decision",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("program", sa.String(), nullable=True),
        sa.Column("gives", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_because", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_access_decision_account_id_account")),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_access_decision_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_decision")),
    )
    op.create_index(op.f("ix_access_decision_account_id"), "access_decision", ["account_id"])


def downgrade() -> None:
    op.drop_table("access_decision")
