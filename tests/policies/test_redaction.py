"""Regulation 6.1: value before and value after, secrets never."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.redaction import is_secret, redact

SECRETS = [
    "password", "newPassword", "password_hash", "access_token", "refreshTokens", "client-secret", "Set-Cookie",
    "code", "recovery_codes", "activation_link", "totp_seed", "pin", "PIN", "personal_number", "birthDate",
    "home_address", "homeAddress", "foreignDocument", "reasonText", "private_key", "code_verifier", "Authorization",
]  # fmt: skip
PLAIN = [
    "login", "department_code", "departmentCode", "positionCode", "mobile_phone", "state", "shipping", "token_type",
    "link_id", "version", "opinion", "encoded", "password_changed_at", "",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRETS)
def test_a_secret_is_recorded_as_changed(key: str) -> None:
    assert redact({key: "the value"}) == {key: "changed"}


@pytest.mark.parametrize("key", PLAIN)
def test_what_is_no_secret_is_recorded_as_it_is(key: str) -> None:
    assert redact({key: "the value"}) == {key: "the value"}


def test_a_secret_that_was_not_there_was_not_there() -> None:
    assert redact({"password": None, "must_change_password": True}) == {"password": None, "must_change_password": True}


def test_secrets_are_found_inside_tables_and_lists() -> None:
    values = {"person": {"pin": "1", "name": "Анара"}, "factors": [{"seed": "2", "kind": "totp"}], "tags": ("a", "b")}
    assert redact(values) == {
        "person": {"pin": "changed", "name": "Анара"},
        "factors": [{"seed": "changed", "kind": "totp"}],
        "tags": ["a", "b"],
    }


def test_everything_under_a_secret_key_is_secret() -> None:
    assert redact({"home_address": {"city": "Бишкек", "flat": "2"}}) == {"home_address": "changed"}


def test_redacting_changes_a_copy() -> None:
    values = {"a": {"password": "x"}}
    redact(values)
    assert values == {"a": {"password": "x"}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("xyz"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(SECRETS + PLAIN), inner | st.just("TOP-SECRET"), max_size=4)
    ),
)


def hide_in_secrets(value: Any) -> Any:
    """The same value with the marker standing under secret keys only."""
    if isinstance(value, dict):
        return {key: "TOP-SECRET" if is_secret(key) else hide_in_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hide_in_secrets(inner) for inner in value]
    return "plain" if value == "TOP-SECRET" else value


@given(VALUES)
def test_no_secret_survives_however_deep_and_doing_it_twice_changes_nothing(value: Any) -> None:
    once = redact({"values": hide_in_secrets(value)})
    assert "TOP-SECRET" not in json.dumps(once)
    assert redact(once) == once
