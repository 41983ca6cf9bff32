"""What a client may say of itself, and what it can't make of itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.registration import MANAGE_CLIENTS, ClientMetadata, read_metadata
from policies.self_registration import beyond_reach, self_registered

SCOPES = frozenset({"openid", "email"})
USUAL: dict[str, Any] = {"redirect_uris": ["https://rp.example/cb"]}


def registered(said: dict[str, Any], scopes: frozenset[str] = SCOPES, **current: Any) -> ClientMetadata:
    now = read_metadata(USUAL | current)[0] if current else None
    registration, mistakes = self_registered(USUAL | said, scopes, now)
    assert mistakes == ()
    metadata, more = read_metadata(registration)
    assert more == ()
    return metadata


def refused(said: dict[str, Any], scopes: frozenset[str] = SCOPES, **current: Any) -> set[str]:
    now = read_metadata(USUAL | current)[0] if current else None
    return {mistake.field for mistake in self_registered(USUAL | said, scopes, now)[1]}


def test_it_gets_the_scopes_it_asks_for_of_those_it_may_have() -> None:
    assert registered({}).scope == ("email", "openid")
    assert registered({"scope": "openid profile"}).scope == ("openid",)
    assert registered({"scope": "profile"}).scope == ()
    assert registered({}, SCOPES | {MANAGE_CLIENTS}).scope == ("email", "openid")


def test_what_is_for_people_to_say_is_not_heard() -> None:
    client = registered({"first_party": True, "security_profile": "fapi2-security", "claims": ["email"],
                         "resources": ["https://api.example/"], "audiences": ["https://api.example/"],
                         "access_token_signed_response_alg": "ES256"})  # fmt: skip
    assert not client.first_party
    assert (client.security_profile, client.claims, client.resources, client.audiences) == (None, None, (), ())
    assert client.access_token_signed_response_alg == "RS256"


@pytest.mark.parametrize(
    ("said", "required"),
    [
        ({}, False),
        ({"require_pkce": True}, True),
        ({"require_pkce": "yes"}, False),
        ({"token_endpoint_auth_method": "none"}, True),
        ({"application_type": "native"}, True),
    ],
)
def test_only_a_confidential_web_client_does_without_pkce(said: dict[str, Any], required: bool) -> None:
    assert registered(said).require_pkce is required


def test_it_acts_for_people_and_for_itself_only_where_a_scope_is_about_something_else() -> None:
    for grant in ("client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
                  "urn:ietf:params:oauth:grant-type:token-exchange"):  # fmt: skip
        assert refused({"grant_types": ["authorization_code", grant]}) == {"grant_types"}
    assert refused({"grant_types": ["client_credentials"]}, frozenset({"orders:read"})) == set()
    assert refused({"grant_types": ["client_credentials"]}, frozenset({"openid", MANAGE_CLIENTS})) == {"grant_types"}
    assert refused({"response_types": ["code id_token"]}) == set()


def test_other_mistakes_are_told_first() -> None:
    assert refused({"redirect_uris": [], "grant_types": ["password"]}) == {"grant_types"}
    assert refused({"redirect_uris": []}) == {"redirect_uris"}


def test_what_people_gave_it_stays_within_its_reach() -> None:
    given = {"scope": "affiliation", "grant_types": ["authorization_code", "client_credentials"], "claims": ["email"],
             "require_pkce": True, "first_party": True}  # fmt: skip
    client = registered({"grant_types": ["authorization_code", "client_credentials"]}, **given)
    assert client.scope == ("affiliation", "email", "openid")
    assert client.claims == ("email",)
    assert client.require_pkce
    assert not client.first_party


def test_what_people_did_not_tighten_it_may_leave_open() -> None:
    assert not registered({}, require_pkce=False).require_pkce


def test_the_right_to_register_clients_comes_from_the_command_only() -> None:
    plain, manager = (read_metadata(USUAL | {"scope": scope})[0] for scope in ("openid", f"openid {MANAGE_CLIENTS}"))
    assert [mistake.field for mistake in beyond_reach(None, manager)] == ["scope"]
    assert [mistake.field for mistake in beyond_reach(plain, manager)] == ["scope"]
    assert beyond_reach(manager, manager) == ()
    assert beyond_reach(manager, plain) == ()


def test_openid_connect_leaves_the_nonce_to_the_client_and_what_people_tighten_stays() -> None:
    asked = {"redirect_uris": ["https://rp.example/cb"]}
    assert self_registered(asked, frozenset({"openid"}), None)[0]["require_nonce"] is False
    tightened = ClientMetadata(redirect_uris=("https://rp.example/cb",), require_nonce=True)
    assert self_registered(asked, frozenset({"openid"}), tightened)[0]["require_nonce"] is True


@given(
    said=st.dictionaries(
        st.sampled_from(["scope", "first_party", "security_profile", "resources", "audiences", "claims", "require_pkce"]),
        st.booleans() | st.text(max_size=10) | st.lists(st.text(max_size=10), max_size=3)
        | st.sampled_from(["openid email profile", "fapi2-security"]),
    )
)  # fmt: skip
def test_whatever_it_says_it_gets_no_right_that_only_people_give(said: dict[str, Any]) -> None:
    registration, mistakes = self_registered(USUAL | said, SCOPES, None)
    metadata, more = read_metadata(registration)
    if not mistakes and not more:
        assert not metadata.first_party and set(metadata.scope) <= SCOPES
        assert (metadata.resources, metadata.audiences, metadata.claims) == ((), (), None)
