"""devices that wait for their person"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_code",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("device_digest", sa.String(), nullable=False),
        sa.Column("user_digest", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("denied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_device_code_client_id_client")),
        sa.ForeignKeyConstraint(["grant_id"], ["grant.id"], name=op.f("fk_device_code_grant_id_grant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_code")),
        sa.UniqueConstraint("device_digest", name=op.f("uq_device_code_device_digest")),
        sa.UniqueConstraint("user_digest", name=op.f("uq_device_code_user_digest")),
    )
    op.create_index(op.f("ix_device_code_expires_at"), "device_code", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_device_code_expires_at"), table_name="device_code")
    op.drop_table("device_code")
