"""What never reaches the audit trail or a log: secrets and sensitive personal data.  Regulation 6.1, 4.4; ASVS 16.2.5.

Owns which keys are secret.  Leaves alone what is recorded otherwise.  In doubt a key is secret: the exceptions are
listed, not the rule.
"""

import re
from collections.abc import Mapping
from typing import Any

CHANGED = "changed"

# Anywhere inside a key: long enough to mean nothing else ("accessToken", "newpassword").
SECRET_PARTS = ("password", "passwd", "passphrase", "secret", "token", "cookie", "authorization", "credential_id")
# As a whole word of a key ("totp_seed", "activation-link"), in singular and plural.
SECRET_WORDS = frozenset({"hash", "hashes", "code", "link", "seed", "pin", "inn", "otp", "totp", "verifier",
                          "assertion"})  # fmt: skip
SECRET_KEYS = frozenset({
    "private_key", "signing_key", "api_key", "encryption_key", "session_id", "personal_number", "birth_date",
    "birthdate", "home_address", "foreign_document", "reason_text", "document_number", "passport",
})  # fmt: skip
# Look secret by a word, and are not.
HARMLESS = frozenset({
    "department_code", "position_code", "program_code", "programme_code", "faculty_code", "group_code",
    "system_code", "reason_code", "status_code", "error_code", "outcome_code", "country_code", "language_code",
    "link_id", "token_type", "password_changed_at", "text_hash", "agreement_hash",
    "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "access_token_signed_response_alg",
    "id_token_signed_response_alg", "id_token_encrypted_response_alg", "id_token_encrypted_response_enc",
})  # fmt: skip


def redact(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy fit for the audit trail: a secret becomes "changed", or stays None when there was none; nested too."""
    return {key: _hidden(value) if is_secret(key) else _shown(value) for key, value in values.items()}


def is_secret(key: str) -> bool:
    """Whether a key of this name holds what must never be shown; camelCase and hyphens are read as snake_case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(key)).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
    if name in HARMLESS:
        return False
    words = {word for piece in name.split("_") for word in (piece, piece.removesuffix("s"))}
    return name in SECRET_KEYS or bool(words & SECRET_WORDS) or any(part in name for part in SECRET_PARTS)


def _hidden(value: Any) -> Any:
    """That it changed, not what it is; yes and no are no secrets ("must_change_password")."""
    return value if value is None or isinstance(value, bool) else CHANGED


def _shown(value: Any) -> Any:
    """The value with the secrets inside it hidden; a list keeps its order and length."""
    if isinstance(value, Mapping):
        return redact(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(item) for item in value]
    return value
