"""what people allowed clients, also at which resources"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consent", sa.Column("resources", JSON, nullable=True))
    consent = sa.table("consent", sa.column("resources", JSON))
    op.get_bind().execute(sa.update(consent).values(resources=[]))
    with op.batch_alter_table("consent") as table:
        table.alter_column("resources", existing_type=JSON, nullable=False)


def downgrade() -> None:
    op.drop_column("consent", "resources")
