"""What clients can find out by themselves."""

from typing import Any

from policies import registration
from policies.claims import EVERY_CLAIM
from policies.registration import GRANT_TYPES, IMPLICIT
from tests.idp.oauth.driver import Party


def described(party: Party) -> dict[str, Any]:
    return dict(party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json())


def test_the_metadata_name_endpoints_that_are_there(party: Party) -> None:
    document = described(party)
    routes = {rule.rule for rule in party.app.url_map.iter_rules()}
    named = {value.removeprefix(party.base) for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert named <= routes
    assert {"/oauth/authorize", "/oauth/par", "/oauth/token", "/oauth/userinfo", "/oauth/jwks"} <= named
    assert document["issuer"] == party.base
    assert document["code_challenge_methods_supported"] == ["S256"]


def test_each_grant_that_is_there_is_named_and_no_other(party: Party) -> None:
    document = described(party)
    refused = {"unsupported_grant_type", None}
    for grant in {*GRANT_TYPES, "password"} - {IMPLICIT}:  # which names what the authorization endpoint does
        answer = party.token(None, grant_type=grant).get_json().get("error")
        assert (answer in refused) == (grant not in document["grant_types_supported"]), grant
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


def test_what_is_supported_is_what_a_client_may_register(party: Party) -> None:
    document = described(party)
    fields = {
        "response_types_supported": "response_types",
        "grant_types_supported": "grant_types",
        "subject_types_supported": "subject_type",
        "id_token_signing_alg_values_supported": "id_token_signed_response_alg",
        "id_token_encryption_alg_values_supported": "id_token_encrypted_response_alg",
        "id_token_encryption_enc_values_supported": "id_token_encrypted_response_enc",
        "userinfo_signing_alg_values_supported": "userinfo_signed_response_alg",
        "userinfo_encryption_alg_values_supported": "userinfo_encrypted_response_alg",
        "userinfo_encryption_enc_values_supported": "userinfo_encrypted_response_enc",
        "authorization_signing_alg_values_supported": "authorization_signed_response_alg",
        "request_object_signing_alg_values_supported": "request_object_signing_alg",
    }
    for entry, field in fields.items():
        read, several = registration.READERS[field], field.endswith("_types")
        values = [*document[entry], "made-up"]
        assert [read([value] if several else value)[1] is None for value in values] == [True] * (len(values) - 1) + [
            False
        ], entry


def test_the_claims_are_named(party: Party) -> None:
    document = described(party)
    assert set(document["claims_supported"]) > EVERY_CLAIM
    assert document["claims_parameter_supported"] is True
    assert {"programs", "report_sections", "eduperson", "address"} < set(document["scopes_supported"])
    assert not {"birthdate", "gender", "picture"} & set(document["claims_supported"])


def test_what_the_standards_require_is_said(party: Party) -> None:
    """OIDC Discovery, 3; RFC 8414, 2; RFC 9207, 3; RFC 8705, 3.3; RFC 9449, 5.1."""
    document = described(party)
    assert document.keys() >= {
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
        "subject_types_supported", "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported",
    }  # fmt: skip
    assert not [name for name, value in document.items() if value in (None, [], "")], "nothing is said with no value"
    assert "openid" in document["scopes_supported"]
    assert {"code", "id_token"} <= set(document["response_types_supported"])
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert {"PS256", "ES256", "EdDSA"} <= set(document["dpop_signing_alg_values_supported"])
    for endpoint in ("token", "revocation", "introspection"):
        assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
        algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert "RS256" in algorithms
        assert "none" not in algorithms


def test_both_well_known_places_say_the_same_and_may_be_cached(party: Party) -> None:
    places = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    answers = [party.browser().get(place, base_url=party.base) for place in places]
    assert answers[0].get_json() == answers[1].get_json()
    assert "max-age" in answers[0].headers["Cache-Control"]


def test_no_private_half_is_published(party: Party) -> None:
    keys = party.browser().get("/oauth/jwks", base_url=party.base).get_json()["keys"]
    assert {key["alg"]: set(key) - {"kty", "use", "alg", "kid"} for key in keys} == {
        "RS256": {"n", "e"},
        "PS256": {"n", "e"},
        "ES256": {"crv", "x", "y"},
        "EdDSA": {"crv", "x"},
    }
