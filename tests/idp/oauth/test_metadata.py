"""What clients can find out by themselves."""

from tests.idp.oauth.driver import Party


def test_the_metadata_name_endpoints_that_are_there(party: Party) -> None:
    document = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    routes = {rule.rule for rule in party.app.url_map.iter_rules()}
    named = {value.removeprefix(party.base) for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert named <= routes
    assert len(named) == 6
    assert document["issuer"] == party.base
    assert document["code_challenge_methods_supported"] == ["S256"]


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
