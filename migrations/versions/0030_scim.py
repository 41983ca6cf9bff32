"""what SCIM has to remember"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scim_person",
        sa.Column("employee_no", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("employee_no", name=op.f("pk_scim_person")),
    )
    op.create_table(
        "scim_external_id",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_scim_external_id_person_id_person")),
        sa.PrimaryKeyConstraint("client_id", "person_id", name=op.f("pk_scim_external_id")),
    )
    op.create_index(op.f("ix_scim_external_id_external_id"), "scim_external_id", ["external_id"])


def downgrade() -> None:
    op.drop_table("scim_external_id")
    op.drop_table("scim_person")
