"""people change their contacts, name and scope of duties themselves"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("duties", sa.String(), nullable=True))
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_statement_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
    )
    op.create_index(op.f("ix_statement_person_id"), "statement", ["person_id"], unique=False)
    op.create_index("ix_statement_state_field", "statement", ["state", "field"], unique=False)
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_statement_waiting", "statement", ["person_id", "field"], unique=True, sqlite_where=waiting,
        postgresql_where=waiting,
    )  # fmt: skip
    op.create_table(
        "address_proof",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_address_proof_account_id_account")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name=op.f("fk_address_proof_statement_id_statement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_proof")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_address_proof_token_digest")),
    )
    op.create_index(op.f("ix_address_proof_account_id"), "address_proof", ["account_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_address_proof_account_id"), table_name="address_proof")
    op.drop_table("address_proof")
    op.drop_index("uq_statement_waiting", table_name="statement")
    op.drop_index("ix_statement_state_field", table_name="statement")
    op.drop_index(op.f("ix_statement_person_id"), table_name="statement")
    op.drop_table("statement")
    op.drop_column("person", "duties")
