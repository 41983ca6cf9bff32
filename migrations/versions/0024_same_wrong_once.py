"""the last password tried, as a keyed fingerprint, where the same wrong one counts once"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lockout", sa.Column("last_print", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("lockout", "last_print")
