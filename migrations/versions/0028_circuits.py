"""systems in which nothing works at the moment"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "circuit",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_circuit_system_system")),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_circuit")),
    )


def downgrade() -> None:
    op.drop_table("circuit")
