"""the leaves of an affiliation; they fill as orders are applied again"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(JSONB, "postgresql")
    with op.batch_alter_table("affiliation") as table:
        table.add_column(sa.Column("leaves", json, nullable=False, server_default="[]"))
    with op.batch_alter_table("affiliation") as table:
        table.alter_column("leaves", existing_type=json, server_default=None)


def downgrade() -> None:
    op.drop_column("affiliation", "leaves")
