"""A client's metadata: read strictly, filled in, told back; and what does not go together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.registration import HOUSE_FIELDS, READERS, ClientMetadata, Mistake, plain_metadata, read_metadata
from policies.strict_signing import SIGNED_FOR_CLIENTS

CALLBACK = "https://rp.example/cb"
USUAL: dict[str, Any] = {"client_name": "Library", "redirect_uris": [CALLBACK]}
KEYS = {"keys": [{"kty": "EC"}]}
STRICT = {"security_profile": "fapi2-security", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}


def read(**said: Any) -> ClientMetadata:
    metadata, mistakes = read_metadata(USUAL | said)
    assert mistakes == ()
    return metadata


def mistaken(**said: Any) -> set[str]:
    return {mistake.field for mistake in read_metadata(USUAL | said)[1]}


def test_defaults_are_those_of_the_standards() -> None:
    client = read()
    assert (client.grant_types, client.response_types) == (("authorization_code",), ("code",))
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert client.id_token_signed_response_alg == "RS256"
    assert client.require_pkce
    assert not client.first_party


def test_null_and_what_nobody_knows_count_as_absent() -> None:
    assert read(client_uri=None, software_statement="eyJ", **{"client_name#ru": "Библиотека"}) == read()


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("client_name", ["Китепкана", "x" * 200], ["", "x" * 201, "a\nb", "a\u2028b", "\ud800", 7, ["x"]]),
        ("redirect_uris", [[CALLBACK], [f"https://rp.example/{n}" for n in range(50)]],
         [CALLBACK, [7], [f"https://rp.example/{n}" for n in range(51)], [["x"]]]),
        ("application_type", ["web", "native"], ["Web", "", 7, []]),
        ("grant_types", [["authorization_code", "refresh_token"]], [["password"], "authorization_code", [["x"]]]),
        ("response_types", [["code"], ["code id_token"]], [["token"], ["id_token code"], ["code token"]]),
        ("scope", ["openid email", "", ["openid"]], ['a"b', "a\\b", "käse", 7, [7], " ".join(map(str, range(51)))]),
        ("token_endpoint_auth_method", ["client_secret_post"], ["client_secret", "", 7]),
        ("jwks", [KEYS], ["{}", [], 7]),
        ("default_max_age", [0, 3600], [-1, 1.5, "60", True, 10**10]),
        ("require_auth_time", [True, False], ["true", 1, 0]),
        ("logo_uri", ["https://rp.example/logo.svg"],
         ["javascript:alert(1)", "http://rp.example/", "https://rp.example/#x", 7]),
        ("audiences", [["https://api.example/"]], ["https://api.example/", [7], ["https://api.example/#x"]]),
        ("request_uris", [["https://rp.example/r#hash"]], [["ftp://rp.example/"], [7]]),
        ("id_token_signed_response_alg", ["ES256", "EdDSA"], ["none", "HS256", "RS512"]),
        ("contacts", [["it@rp.example"]], [["a\x00b"], "it@rp.example"]),
    ],
)  # fmt: skip
def test_each_field_is_read_strictly(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert mistaken(**{field: value}) == set(), value
    for value in bad:
        assert mistaken(**{field: value}) == {field}, value


def test_all_mistakes_are_told_at_once() -> None:
    assert mistaken(client_name=7, jwks=7, grant_types=["password"]) == {"client_name", "jwks", "grant_types"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"grant_types": ["client_credentials"], "redirect_uris": [], "scope": ""},
        {"claims": [], "resources": ["https://api.example/"], "audiences": ["https://gate.example/"]},
        STRICT,
        {"jwks": KEYS, "token_endpoint_auth_method": "private_key_jwt"},
        {"response_types": ["code id_token"], "scope": "openid"},
    ],
)
def test_what_is_told_back_reads_the_same(said: dict[str, Any]) -> None:
    client = read(**said)
    told = plain_metadata(client)
    assert read_metadata(told) == (client, ())
    assert all(value is not None for value in told.values())


def test_a_name_that_nobody_gave_is_not_told() -> None:
    nameless, mistakes = read_metadata({"redirect_uris": [CALLBACK]})
    assert mistakes == ()
    assert "client_name" not in plain_metadata(nameless)
    assert read_metadata(plain_metadata(nameless)) == (nameless, ())


def test_no_claims_are_something_else_than_nothing_said_about_them() -> None:
    assert read_metadata(plain_metadata(read(claims=[])))[0].claims == ()
    assert read().claims is None


def test_a_client_that_only_acts_for_itself_answers_nobody() -> None:
    client = read(grant_types=["client_credentials"], redirect_uris=[])
    assert (client.response_types, client.redirect_uris) == ((), ())


@pytest.mark.parametrize(
    ("said", "grants", "responses"),
    [
        ({"grant_types": ["implicit"]}, ("implicit",), ("id_token",)),
        ({"response_types": ["code id_token"]}, ("authorization_code", "implicit"), ("code id_token",)),
        ({"grant_types": ["implicit"], "response_types": ["id_token"]}, ("implicit",), ("id_token",)),
        ({"grant_types": ["authorization_code", "refresh_token"]}, ("authorization_code", "refresh_token"), ("code",)),
    ],
)
def test_grants_and_response_types_keep_in_step(
    said: dict[str, Any], grants: tuple[str, ...], responses: tuple[str, ...]
) -> None:
    client = read(**said)
    assert (client.grant_types, client.response_types) == (grants, responses)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": [], "response_types": ["id_token"], "grant_types": ["implicit"]}, "redirect_uris"),
        ({"redirect_uris": ["com.example.app:/cb"]}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["https://rp.example/#bye"]}, "post_logout_redirect_uris"),
        ({"grant_types": ["refresh_token"], "response_types": ["code"]}, "grant_types"),
        ({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]}, "grant_types"),
        ({"token_endpoint_auth_method": "none", "require_pkce": False}, "require_pkce"),
        ({"jwks": KEYS, "jwks_uri": "https://rp.example/jwks"}, "jwks"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"token_endpoint_auth_method": "self_signed_tls_client_auth"}, "jwks"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a",
          "tls_client_auth_san_dns": "a"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
        ({"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"},
         "token_endpoint_auth_signing_alg"),
        ({"id_token_encrypted_response_enc": "A128GCM"}, "id_token_encrypted_response_enc"),
        ({"userinfo_encrypted_response_alg": "RSA-OAEP"}, "userinfo_encrypted_response_alg"),
        ({"security_profile": "fapi2-security"}, "token_endpoint_auth_method"),
        ({"security_profile": "fapi2-message-signing", "token_endpoint_auth_method": "tls_client_auth",
          "tls_client_auth_subject_dn": "CN=a"}, "security_profile"),
        ({"security_profile": "fapi2-security", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS,
          "response_types": ["code id_token"]}, "response_types"),
        ({"security_profile": "fapi2-security", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS,
          "require_pkce": False}, "require_pkce"),
        *[(STRICT | {field: "RS256"}, field) for field in SIGNED_FOR_CLIENTS],
        ({"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://other.example/cb"]}, "sector_identifier_uri"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(said: dict[str, Any], field: str) -> None:
    assert mistaken(**said) == {field}


@pytest.mark.parametrize(
    "said",
    [
        {"application_type": "native", "redirect_uris": ["com.example.app:/cb"], "token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "rp.example"},
        {"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "HS256"},
        {"security_profile": "fapi2-security", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS,
         "grant_types": ["client_credentials"], "redirect_uris": []},
        {"subject_type": "pairwise"},
        {"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://other.example/cb"],
         "sector_identifier_uri": "https://rp.example/sector.json"},
        {"id_token_encrypted_response_alg": "ECDH-ES", "jwks_uri": "https://rp.example/jwks"},
    ],
)  # fmt: skip
def test_what_goes_together_is_registered(said: dict[str, Any]) -> None:
    assert mistaken(**said) == set()


def test_a_mistake_names_what_is_wrong_with_an_address() -> None:
    (mistake,) = read_metadata({"redirect_uris": ["http://rp.example/"]})[1]
    assert mistake == Mistake("redirect_uris", "http://rp.example/ can't be registered (http)")


@pytest.mark.parametrize(
    ("said", "bound", "pushed", "signed"),
    [
        ({}, False, False, False),
        ({"dpop_bound_access_tokens": True}, True, False, False),
        ({"tls_client_certificate_bound_access_tokens": True}, True, False, False),
        ({"require_pushed_authorization_requests": True}, False, True, False),
        ({"require_signed_request_object": True, "jwks": KEYS}, False, False, True),
        ({"security_profile": "fapi2-security", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS},
         True, True, False),
        ({"security_profile": "fapi2-message-signing", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS},
         True, True, True),
    ],
)  # fmt: skip
def test_a_security_profile_brings_what_it_demands(
    said: dict[str, Any], bound: bool, pushed: bool, signed: bool
) -> None:
    client = read(**said)
    assert (client.sender_bound, client.pushed_only, client.signed_only) == (bound, pushed, signed)


def test_under_a_security_profile_nothing_is_signed_with_what_it_does_not_allow() -> None:
    plain, encrypted = read(**STRICT), read(**STRICT, userinfo_encrypted_response_alg="ECDH-ES")
    assert {name: getattr(plain, name) for name in SIGNED_FOR_CLIENTS} == dict.fromkeys(SIGNED_FOR_CLIENTS, "ES256") | {
        "userinfo_signed_response_alg": None
    }
    assert encrypted.userinfo_signed_response_alg == "ES256"
    assert read(**STRICT, id_token_signed_response_alg="PS256").id_token_signed_response_alg == "PS256"


def test_only_a_client_without_any_proof_is_public() -> None:
    assert read(token_endpoint_auth_method="none").public
    assert not read().public


def test_the_fields_of_the_house_are_fields() -> None:
    assert set(HOUSE_FIELDS) <= READERS.keys()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([CALLBACK, "RS256", "code"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(said=st.dictionaries(st.sampled_from(sorted(READERS)), ANYTHING, max_size=6))
def test_whatever_a_client_says_is_taken_as_it_is_told_back_or_refused_by_field(said: dict[str, Any]) -> None:
    metadata, mistakes = read_metadata(USUAL | said)
    if not mistakes:
        again, none = read_metadata(plain_metadata(metadata))
        assert (again, none) == (metadata, ())
    assert all(mistake.field in READERS for mistake in mistakes)
