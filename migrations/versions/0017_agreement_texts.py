"""the texts of agreements are kept, named by their digest

Acceptances from before stay as they are: they name the digest of the text that was seen, with its version, moment and
address.  That text stood in the profile alone, so it is not here to be kept; it comes into the new table only if the
profile that is loaded next still has it, word for word.  Otherwise the page of the person shows the acceptance without
its text, and the person is asked for the texts now in force.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreement_text",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("texts", JSON, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_agreement_text")),
    )


def downgrade() -> None:
    op.drop_table("agreement_text")
