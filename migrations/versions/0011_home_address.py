"""the home address of a person, sealed"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("home_address", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "home_address")
