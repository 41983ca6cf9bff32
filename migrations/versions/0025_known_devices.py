"""counters of wrong sign-ins by device, and the devices that have one"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_device",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_known_device_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_known_device")),
    )
    with op.batch_alter_table("lockout") as batch:
        batch.add_column(sa.Column("device", sa.String(), nullable=False, server_default=""))
        batch.drop_constraint("pk_lockout", type_="primary")
        batch.create_primary_key("pk_lockout", ["login", "device"])
    with op.batch_alter_table("lockout") as batch:
        batch.alter_column("device", server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM lockout WHERE device <> ''")
    with op.batch_alter_table("lockout") as batch:
        batch.drop_constraint("pk_lockout", type_="primary")
        batch.create_primary_key("pk_lockout", ["login"])
        batch.drop_column("device")
    op.drop_table("known_device")
