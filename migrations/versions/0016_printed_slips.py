"""printed slips beside links to activate an account; links from before are no slips"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activation", sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("activation", sa.Column("slip", sa.Boolean(), nullable=True))
    activation = sa.table("activation", sa.column("slip", sa.Boolean()))
    op.get_bind().execute(sa.update(activation).values(slip=False))
    with op.batch_alter_table("activation") as table:
        table.alter_column("slip", existing_type=sa.Boolean(), nullable=False)


def downgrade() -> None:
    """A slip would become a link that works without having been handed over: all of them are void."""
    activation = sa.table("activation", sa.column("slip", sa.Boolean()), sa.column("voided_at", sa.DateTime()),
                          sa.column("issued_at", sa.DateTime()))  # fmt: skip
    open_slips = sa.and_(activation.c.slip.is_(True), activation.c.voided_at.is_(None))
    op.get_bind().execute(sa.update(activation).where(open_slips).values(voided_at=activation.c.issued_at))
    with op.batch_alter_table("activation") as table:
        table.drop_column("slip")
        table.drop_column("handed_over_at")
