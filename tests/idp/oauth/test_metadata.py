"""What clients can find out by themselves."""

from datetime import timedelta

from sqlalchemy import select

from idp.clock import SetClock
from idp.db import db
from idp.flows import signing_keys
from idp.flows.signing_keys import ensure_signing_key, published_keys, sign, verify
from idp.models import AuditRecord, SigningKey
from tests.builders import Make
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
    assert [set(key) for key in keys] == [{"kty", "use", "alg", "kid", "n", "e"}]


def test_the_first_key_is_made_once_and_sealed(party: Party, make: Make) -> None:
    with party.app.app_context():
        ensure_signing_key(make.here())
        db.session.commit()
        row = db.session.scalars(select(SigningKey)).one()
        assert b'"d"' not in row.private
        assert db.session.scalars(select(AuditRecord).where(AuditRecord.act == "signing-key-made")).one()


def test_a_retired_key_verifies_only_where_that_is_asked_for(party: Party, make: Make, clock: SetClock) -> None:
    with party.app.app_context():
        seal = sign(make.service, "seal", {"head": "abc"})
        assert verify(make.service, "seal", seal) == {"head": "abc"}
        assert verify(make.service, "JWT", seal) is None
        db.session.scalars(select(SigningKey)).one().retired_at = clock.now() - timedelta(seconds=1)
        db.session.commit()
        signing_keys._rings.clear()  # look at the table again, as happens every few seconds
        assert verify(make.service, "seal", seal) is None
        assert verify(make.service, "seal", seal, also_retired=True) == {"head": "abc"}
        assert published_keys(make.service) == {"keys": []}
