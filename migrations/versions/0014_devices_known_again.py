"""browsers are known again at the next sign-in, so that people hear of new ones"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("device_digest", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("session", "device_digest")
