"""notices are worked on like tasks and mails: under a lease, with their failures counted"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("logout_notice") as table:
        table.add_column(sa.Column("owner", sa.String(), nullable=True))
        table.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("logout_notice") as table:
        table.alter_column("failures", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    op.drop_column("logout_notice", "failures")
    op.drop_column("logout_notice", "owner")
