"""orders that waited for a second person, and who let them go on"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order", sa.Column("released_by", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("order") as table:
        table.drop_column("released_by")
        table.drop_column("released_at")
