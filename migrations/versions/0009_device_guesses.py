"""codes typed for devices that wait are counted"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_guesses",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_device_guesses_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_device_guesses")),
    )


def downgrade() -> None:
    op.drop_table("device_guesses")
