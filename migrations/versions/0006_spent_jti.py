"""identifiers of JWTs that were accepted once"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent_jti",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spent_jti")),
        sa.UniqueConstraint("digest", name=op.f("uq_spent_jti_digest")),
    )
    op.create_index(op.f("ix_spent_jti_expires_at"), "spent_jti", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_spent_jti_expires_at"), table_name="spent_jti")
    op.drop_table("spent_jti")
