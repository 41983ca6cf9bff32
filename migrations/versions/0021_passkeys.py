"""passkeys beside authenticators"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("factor") as table:
        table.alter_column("seed", existing_type=sa.LargeBinary(), nullable=True)
        table.add_column(sa.Column("credential_id", sa.String(), nullable=True))
        table.add_column(sa.Column("public_key", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("sign_count", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
        table.create_unique_constraint(op.f("uq_factor_credential_id"), ["credential_id"])


def downgrade() -> None:
    op.execute("DELETE FROM factor WHERE seed IS NULL")
    with op.batch_alter_table("factor") as table:
        table.drop_constraint(op.f("uq_factor_credential_id"), type_="unique")
        for column in ("used_at", "sign_count", "public_key", "credential_id"):
            table.drop_column(column)
        table.alter_column("seed", existing_type=sa.LargeBinary(), nullable=False)
