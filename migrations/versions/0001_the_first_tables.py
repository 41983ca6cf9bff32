"""the first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB, "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("last_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_audit_day")),
    )
    op.create_table(
        "audit_record",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_record")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_record_hash")),
    )
    op.create_index(op.f("ix_audit_record_account_id"), "audit_record", ["account_id"], unique=False)
    op.create_index(op.f("ix_audit_record_act"), "audit_record", ["act"], unique=False)
    op.create_index(op.f("ix_audit_record_at"), "audit_record", ["at"], unique=False)
    op.create_table(
        "department",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["department.code"], name=op.f("fk_department_parent_department")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_department")),
    )
    op.create_table(
        "lockout",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_lockout")),
    )
    op.create_index(op.f("ix_lockout_locked_at"), "lockout", ["locked_at"], unique=False)
    op.create_table(
        "order",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("signature", JSON, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("receipt", name=op.f("uq_order_receipt")),
        sa.UniqueConstraint("source", "order_id", "version", name=op.f("uq_order_source_order_id_version")),
    )
    op.create_index(op.f("ix_order_run_at"), "order", ["run_at"], unique=False)
    op.create_table(
        "person",
        sa.Column("personal_number_print", sa.String(), nullable=True),
        sa.Column("personal_number", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("employee_no", sa.String(), nullable=True),
        sa.Column("teacher_no", sa.Integer(), nullable=True),
        sa.Column("student_no", sa.Integer(), nullable=True),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("patronymic", sa.String(), nullable=True),
        sa.Column("latin_family", sa.String(), nullable=True),
        sa.Column("latin_given", sa.String(), nullable=True),
        sa.Column("work_phone", sa.String(), nullable=True),
        sa.Column("mobile_phone", sa.String(), nullable=True),
        sa.Column("personal_email", sa.String(), nullable=True),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("employee_no", name=op.f("uq_person_employee_no")),
        sa.UniqueConstraint("personal_number_print", name=op.f("uq_person_personal_number_print")),
        sa.UniqueConstraint("student_no", name=op.f("uq_person_student_no")),
        sa.UniqueConstraint("teacher_no", name=op.f("uq_person_teacher_no")),
    )
    op.create_index(op.f("ix_person_review_at"), "person", ["review_at"], unique=False)
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("public", JSON, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_signing_key_kid")),
    )
    op.create_table(
        "account",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("sub", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("person_id", name=op.f("uq_account_person_id")),
        sa.UniqueConstraint("sub", name=op.f("uq_account_sub")),
    )
    op.create_table(
        "affiliation",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("position", sa.String(), nullable=True),
        sa.Column("position_code", sa.String(), nullable=True),
        sa.Column("programme", sa.String(), nullable=True),
        sa.Column("student_group", sa.String(), nullable=True),
        sa.Column("employment_id", sa.String(), nullable=True),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("employment_type", sa.String(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_affiliation_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliation")),
    )
    op.create_index(op.f("ix_affiliation_department"), "affiliation", ["department"], unique=False)
    op.create_index(op.f("ix_affiliation_person_id"), "affiliation", ["person_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("order_pk", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_pk"], ["order.id"], name=op.f("fk_delivery_order_pk_order")),
        sa.PrimaryKeyConstraint("webhook_id", "source", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_received_at"), "delivery", ["received_at"], unique=False)
    op.create_table(
        "order_line",
        sa.Column("order_pk", sa.Uuid(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["order_pk"], ["order.id"], name=op.f("fk_order_line_order_pk_order")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_order_line_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_pk", "line", name=op.f("uq_order_line_order_pk_line")),
    )
    op.create_index(op.f("ix_order_line_order_pk"), "order_line", ["order_pk"], unique=False)
    op.create_index(op.f("ix_order_line_person_id"), "order_line", ["person_id"], unique=False)
    op.create_table(
        "system",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("responsible", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["responsible"], ["department.code"], name=op.f("fk_system_responsible_department")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_system")),
    )
    op.create_table(
        "acceptance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_acceptance_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("account_id", "sha256", name=op.f("uq_acceptance_account_id_sha256")),
    )
    op.create_index(op.f("ix_acceptance_account_id"), "acceptance", ["account_id"], unique=False)
    op.create_table(
        "activation",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_activation_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_activation_token_digest")),
    )
    op.create_index(op.f("ix_activation_account_id"), "activation", ["account_id"], unique=False)
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=True),
        sa.Column("secret_digest", sa.String(), nullable=True),
        sa.Column("redirect_uris", JSON, nullable=False),
        sa.Column("post_logout_redirect_uris", JSON, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("grant_types", JSON, nullable=False),
        sa.Column("pkce_required", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_client_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("client_id", name=op.f("uq_client_client_id")),
    )
    op.create_table(
        "credential",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_credential_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
    )
    op.create_index(op.f("ix_credential_account_id"), "credential", ["account_id"], unique=False)
    op.create_index(
        "uq_credential_present",
        "credential",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "link",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("applied_revision", sa.Integer(), nullable=False),
        sa.Column("seen", JSON, nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_link_account_id_account")),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_link_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("account_id", "system", name=op.f("uq_link_account_id_system")),
    )
    op.create_index(op.f("ix_link_account_id"), "link", ["account_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    op.create_index(op.f("ix_message_account_id"), "message", ["account_id"], unique=False)
    op.create_index(op.f("ix_message_run_at"), "message", ["run_at"], unique=False)
    op.create_table(
        "officer",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("system", sa.String(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_officer_account_id_account")),
        sa.ForeignKeyConstraint(["department"], ["department.code"], name=op.f("fk_officer_department_department")),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_officer_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
    )
    op.create_index(op.f("ix_officer_account_id"), "officer", ["account_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_session_token_digest")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("order_pk", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_basis", JSON, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("read_back", JSON, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_task_account_id_account")),
        sa.ForeignKeyConstraint(["order_pk"], ["order.id"], name=op.f("fk_task_order_pk_order")),
        sa.ForeignKeyConstraint(["system"], ["system.code"], name=op.f("fk_task_system_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_account_id_system", "task", ["account_id", "system"], unique=False)
    op.create_index("ix_task_due", "task", ["status", "due_at"], unique=False)
    op.create_index(op.f("ix_task_order_pk"), "task", ["order_pk"], unique=False)
    op.create_index(op.f("ix_task_run_at"), "task", ["run_at"], unique=False)
    op.create_index(
        "uq_task_open",
        "task",
        ["account_id", "system"],
        unique=True,
        sqlite_where=sa.text("status IN ('waiting', 'manual', 'failed')"),
        postgresql_where=sa.text("status IN ('waiting', 'manual', 'failed')"),
    )
    op.create_table(
        "authorization_request",
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_authorization_request_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_request")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_authorization_request_token_digest")),
    )
    op.create_index(op.f("ix_authorization_request_expires_at"), "authorization_request", ["expires_at"], unique=False)
    op.create_table(
        "grant",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_grant_account_id_account")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_grant_client_id_client")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_grant_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
    )
    op.create_index(op.f("ix_grant_account_id"), "grant", ["account_id"], unique=False)
    op.create_index(op.f("ix_grant_session_id"), "grant", ["session_id"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("code_digest", sa.String(), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("redirect_uri_given", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("code_challenge", sa.String(), nullable=True),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grant.id"], name=op.f("fk_authorization_code_grant_id_grant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_code")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_authorization_code_code_digest")),
    )
    op.create_index(op.f("ix_authorization_code_grant_id"), "authorization_code", ["grant_id"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grant.id"], name=op.f("fk_refresh_token_grant_id_grant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_refresh_token_token_digest")),
    )
    op.create_index(op.f("ix_refresh_token_grant_id"), "refresh_token", ["grant_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_refresh_token_grant_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_authorization_code_grant_id"), table_name="authorization_code")
    op.drop_table("authorization_code")
    op.drop_index(op.f("ix_grant_session_id"), table_name="grant")
    op.drop_index(op.f("ix_grant_account_id"), table_name="grant")
    op.drop_table("grant")
    op.drop_index(op.f("ix_authorization_request_expires_at"), table_name="authorization_request")
    op.drop_table("authorization_request")
    op.drop_index(
        "uq_task_open",
        table_name="task",
        sqlite_where=sa.text("status IN ('waiting', 'manual', 'failed')"),
        postgresql_where=sa.text("status IN ('waiting', 'manual', 'failed')"),
    )
    op.drop_index(op.f("ix_task_run_at"), table_name="task")
    op.drop_index(op.f("ix_task_order_pk"), table_name="task")
    op.drop_index("ix_task_due", table_name="task")
    op.drop_index("ix_task_account_id_system", table_name="task")
    op.drop_table("task")
    op.drop_index(op.f("ix_session_account_id"), table_name="session")
    op.drop_table("session")
    op.drop_index(op.f("ix_officer_account_id"), table_name="officer")
    op.drop_table("officer")
    op.drop_index(op.f("ix_message_run_at"), table_name="message")
    op.drop_index(op.f("ix_message_account_id"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_link_account_id"), table_name="link")
    op.drop_table("link")
    op.drop_index(
        "uq_credential_present",
        table_name="credential",
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.drop_index(op.f("ix_credential_account_id"), table_name="credential")
    op.drop_table("credential")
    op.drop_table("client")
    op.drop_index(op.f("ix_activation_account_id"), table_name="activation")
    op.drop_table("activation")
    op.drop_index(op.f("ix_acceptance_account_id"), table_name="acceptance")
    op.drop_table("acceptance")
    op.drop_table("system")
    op.drop_index(op.f("ix_order_line_person_id"), table_name="order_line")
    op.drop_index(op.f("ix_order_line_order_pk"), table_name="order_line")
    op.drop_table("order_line")
    op.drop_index(op.f("ix_delivery_received_at"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_index(op.f("ix_affiliation_person_id"), table_name="affiliation")
    op.drop_index(op.f("ix_affiliation_department"), table_name="affiliation")
    op.drop_table("affiliation")
    op.drop_table("account")
    op.drop_table("signing_key")
    op.drop_index(op.f("ix_person_review_at"), table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("ix_order_run_at"), table_name="order")
    op.drop_table("order")
    op.drop_index(op.f("ix_lockout_locked_at"), table_name="lockout")
    op.drop_table("lockout")
    op.drop_table("department")
    op.drop_index(op.f("ix_audit_record_at"), table_name="audit_record")
    op.drop_index(op.f("ix_audit_record_act"), table_name="audit_record")
    op.drop_index(op.f("ix_audit_record_account_id"), table_name="audit_record")
    op.drop_table("audit_record")
    op.drop_table("audit_day")
