"""what is granted beside the scope, the keys codes and tokens are bound to, and how people proved themselves"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authorization_code", sa.Column("jkt", sa.String(), nullable=True))
    op.add_column("refresh_token", sa.Column("jkt", sa.String(), nullable=True))
    op.add_column("grant", sa.Column("claims", JSON, nullable=True))
    op.add_column("grant", sa.Column("resources", JSON, nullable=True))
    op.add_column("grant", sa.Column("authorization_details", JSON, nullable=True))
    with op.batch_alter_table("session") as table:
        table.add_column(sa.Column("amr", JSON, nullable=True))
    session = sa.table("session", sa.column("amr", JSON))
    op.get_bind().execute(sa.update(session).values(amr=["pwd"]))
    with op.batch_alter_table("session") as table:
        table.alter_column("amr", existing_type=JSON, nullable=False)


def downgrade() -> None:
    op.drop_column("session", "amr")
    op.drop_column("grant", "authorization_details")
    op.drop_column("grant", "resources")
    op.drop_column("grant", "claims")
    op.drop_column("refresh_token", "jkt")
    op.drop_column("authorization_code", "jkt")
