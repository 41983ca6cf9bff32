"""what a client registered, under the standards' names; who may register clients"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initial_access_token",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initial_access_token")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_initial_access_token_token_digest")),
    )
    with op.batch_alter_table("client") as table:
        table.add_column(sa.Column("registration", JSON, nullable=True))
        table.add_column(sa.Column("secret", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("registration_digest", sa.String(), nullable=True))
        table.add_column(sa.Column("registered_with", sa.Uuid(), nullable=True))
    _describe()
    with op.batch_alter_table("client") as table:
        table.alter_column("registration", existing_type=JSON, nullable=False)
        table.create_foreign_key(
            op.f("fk_client_registered_with_initial_access_token"), "initial_access_token", ["registered_with"], ["id"]
        )
        for column in OLD:
            table.drop_column(column)


def downgrade() -> None:
    with op.batch_alter_table("client") as table:
        for column, kind in OLD.items():
            table.add_column(sa.Column(column, kind, nullable=True))
    _undescribe()
    with op.batch_alter_table("client") as table:
        for column, kind in OLD.items():
            table.alter_column(column, existing_type=kind, nullable=False)
        table.drop_constraint(op.f("fk_client_registered_with_initial_access_token"), type_="foreignkey")
        for column in ("registered_with", "registration_digest", "secret", "registration"):
            table.drop_column(column)
    op.drop_table("initial_access_token")


OLD: dict[str, sa.types.TypeEngine[Any]] = {
    "name": sa.String(),
    "redirect_uris": JSON,
    "post_logout_redirect_uris": JSON,
    "scopes": JSON,
    "grant_types": JSON,
    "pkce_required": sa.Boolean(),
}
CLIENT = sa.table(
    "client",
    sa.column("id", sa.Uuid()),
    sa.column("secret_digest", sa.String()),
    sa.column("registration", JSON),
    *(sa.column(name, kind) for name, kind in OLD.items()),
)


def _describe() -> None:
    """Whoever was registered so far was registered by the university itself, for systems of its own."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(CLIENT)).all():
        registration = {
            "client_name": row.name,
            "application_type": "web" if row.secret_digest else "native",
            "redirect_uris": row.redirect_uris,
            "post_logout_redirect_uris": row.post_logout_redirect_uris,
            "scope": " ".join(row.scopes),
            "grant_types": row.grant_types,
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic" if row.secret_digest else "none",
            "require_pkce": row.pkce_required,
            "first_party": True,
        }
        connection.execute(sa.update(CLIENT).where(CLIENT.c.id == row.id).values(registration=registration))


def _undescribe() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(CLIENT.c.id, CLIENT.c.registration)).all():
        said = row.registration
        values = {
            "name": said.get("client_name", ""),
            "redirect_uris": said.get("redirect_uris", []),
            "post_logout_redirect_uris": said.get("post_logout_redirect_uris", []),
            "scopes": said.get("scope", "").split(),
            "grant_types": said.get("grant_types", []),
            "pkce_required": said.get("require_pkce", True),
        }
        connection.execute(sa.update(CLIENT).where(CLIENT.c.id == row.id).values(**values))
