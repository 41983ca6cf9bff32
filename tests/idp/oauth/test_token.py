"""The token endpoint: codes, refresh tokens, client credentials, and who may ask."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from idp.clock import SetClock
from idp.db import db
from idp.flows.rotate_client_secret import rotate_client_secret
from idp.flows.sessions import end_all_sessions
from idp.models import Account, AuditRecord, Client, Grant, Link, RefreshToken
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, VERIFIER, Party, Registered, basic, claims_in, header_of


def test_the_id_token_tells_who_signed_in_when_and_where(party: Party, make: Make, clock: SetClock) -> None:
    someone, client = make.account(), party.client()
    signed_in = clock.now()
    browser = party.browser(someone)
    clock.advance(minutes=5)
    code = party.authorize(browser, client).headers["Location"].split("code=")[1].split("&")[0]
    tokens = party.redeem(client, code).get_json()
    keys = KeySet.import_key_set(party.browser().get("/oauth/jwks", base_url=party.base).get_json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims.pop("sid")
    assert claims == {
        "iss": party.base,
        "sub": someone.sub,
        "aud": client.client_id,
        "nonce": "n-1",
        "auth_time": int(signed_in.timestamp()),
        "iat": int(clock.now().timestamp()),
        "exp": int(clock.now().timestamp()) + 600,
        "acr": "https://refeds.org/profile/sfa",
        "amr": ["pwd"],
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
    }


def test_the_access_token_is_one_of_rfc_9068(party: Party, make: Make, clock: SetClock) -> None:
    someone, client = make.account(), party.client()
    tokens = party.tokens(someone, client)
    claims = claims_in(tokens["access_token"])
    assert header_of(tokens["access_token"]).items() >= {"typ": "at+jwt", "alg": "RS256"}.items()
    assert "kid" in header_of(tokens["access_token"])
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 600
    assert (claims["iss"], claims["aud"], claims["sub"]) == (party.base, party.base, someone.sub)
    assert (claims["client_id"], claims["scope"]) == (client.client_id, "openid profile email")
    assert claims["jti"]


def test_token_answers_are_not_stored_by_anybody(party: Party, make: Make) -> None:
    client = party.client()
    response = party.redeem(client, party.code(make.account(), client))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "never-issued"}, "invalid_grant"),
        ({"code": "ноль"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "a\0b"}, "invalid_request"),
        ({"redirect_uri": "https://rp.example/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code_verifier": VERIFIER[:-1] + "1"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'quote"d'}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": ["authorization_code", "authorization_code"]}, "invalid_request"),
        ({"redirect_uri": [CALLBACK, CALLBACK]}, "invalid_request"),
    ],
)
def test_a_code_is_worth_nothing_without_all_it_is_bound_to(
    party: Party, make: Make, changes: dict[str, str], error: str
) -> None:
    client = party.client()
    response = party.redeem(client, party.code(make.account(), client), **changes)
    assert (response.status_code, response.get_json()["error"]) == (400, error)


def test_a_code_that_was_tried_wrongly_is_spent(party: Party, make: Make) -> None:
    client = party.client()
    code = party.code(make.account(), client)
    party.redeem(client, code, code_verifier=VERIFIER[:-1] + "1")
    assert party.redeem(client, code).get_json()["error"] == "invalid_grant"


def test_a_code_of_another_client_is_refused_and_stays_good(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    code = party.code(make.account(), client)
    assert party.redeem(other, code).get_json()["error"] == "invalid_grant"
    assert party.redeem(client, code).status_code == 200


def test_a_code_lives_sixty_seconds(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    codes = [party.code(make.account(), client), party.code(make.account("kanat"), client)]
    clock.advance(seconds=59)
    assert party.redeem(client, codes[0]).status_code == 200
    clock.advance(seconds=1)
    assert party.redeem(client, codes[1]).get_json()["error"] == "invalid_grant"


def test_a_verifier_without_a_challenge_is_refused(party: Party, make: Make) -> None:
    """RFC 9700, 4.8: nobody talks a client out of PKCE."""
    client = party.client(pkce_required=False)
    bare = {"code_challenge": None, "code_challenge_method": None}
    someone = make.account()
    assert party.redeem(client, party.code(someone, client, **bare)).get_json()["error"] == "invalid_request"
    assert party.redeem(client, party.code(someone, client, **bare), code_verifier=None).status_code == 200


def test_a_second_use_of_a_code_takes_back_what_the_first_gave(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    code = party.code(someone, client)
    tokens = party.redeem(client, code).get_json()
    assert party.redeem(client, code).get_json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    with party.app.app_context():
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "grant-revoked")).one()
        assert row.account_id == someone.id
        assert row.actor == f"client/{client.client_id}"
        assert row.after is not None
        assert row.after["reason"] == "authorization code used twice"


# --- refresh


def test_each_refresh_gives_a_new_token_and_the_old_is_gone(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    first = party.tokens(make.account(), client)
    clock.advance(minutes=9)
    second = party.refresh(client, first["refresh_token"]).get_json()
    assert second["refresh_token"] != first["refresh_token"]
    assert claims_in(second["access_token"])["iat"] == int(clock.now().timestamp())
    assert party.refresh(client, second["refresh_token"]).status_code == 200


def test_a_refreshed_id_token_tells_of_the_first_sign_in(party: Party, make: Make, clock: SetClock) -> None:
    """OIDC Core, 12.2."""
    client = party.client()
    first = party.tokens(make.account(), client)
    clock.advance(hours=2)
    second = party.refresh(client, first["refresh_token"]).get_json()
    before, after = claims_in(first["id_token"]), claims_in(second["id_token"])
    same = ("iss", "sub", "aud", "auth_time", "sid", "acr", "amr")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["iat"] == int(clock.now().timestamp())
    assert "nonce" not in after
    assert after["at_hash"] != before["at_hash"]


def test_a_second_use_of_a_refresh_token_ends_the_family(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    first = party.tokens(make.account(), client)
    second = party.refresh(client, first["refresh_token"]).get_json()
    clock.advance(seconds=11)
    assert party.refresh(client, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.refresh(client, second["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.userinfo(second["access_token"]).status_code == 401


def test_an_answer_that_was_lost_is_given_again_for_ten_seconds(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client(access_token_signed_response_alg="EdDSA")  # signs the same the same way
    first = party.tokens(make.account(), client)
    lost = party.refresh(client, first["refresh_token"]).get_json()
    clock.advance(seconds=9)
    again = party.refresh(client, first["refresh_token"]).get_json()
    assert (again["access_token"], again["refresh_token"]) == (lost["access_token"], lost["refresh_token"])
    assert party.refresh(client, again["refresh_token"]).status_code == 200


def test_once_the_answer_was_used_it_is_not_given_again(party: Party, make: Make) -> None:
    client = party.client()
    first = party.tokens(make.account(), client)
    second = party.refresh(client, first["refresh_token"]).get_json()
    third = party.refresh(client, second["refresh_token"]).get_json()
    assert party.refresh(client, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.refresh(client, third["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_is_of_no_use_to_another_client(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    tokens = party.tokens(make.account(), client)
    assert party.refresh(other, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.refresh(client, tokens["refresh_token"]).status_code == 200


def test_refresh_may_narrow_the_scope_and_never_widen_it(party: Party, make: Make) -> None:
    client = party.client()
    tokens = party.tokens(make.account(), client)
    wider = party.refresh(client, tokens["refresh_token"], scope="openid affiliation")
    assert wider.get_json()["error"] == "invalid_scope"
    narrow = party.refresh(client, tokens["refresh_token"], scope="openid").get_json()
    assert narrow["scope"] == "openid"
    assert party.refresh(client, narrow["refresh_token"]).get_json()["scope"] == "openid profile email"


def test_an_idle_refresh_token_runs_out_and_so_does_a_busy_family(party: Party, make: Make, clock: SetClock) -> None:
    rules = make.service.profile.rules.tokens
    client = party.client()
    idle = party.tokens(make.account(), client)["refresh_token"]
    busy = party.tokens(make.account("kanat"), client)["refresh_token"]
    for _ in range((rules.refresh_absolute - timedelta(hours=1)) // timedelta(hours=20)):
        clock.advance(hours=20)
        busy = party.refresh(client, busy).get_json()["refresh_token"]
    assert party.refresh(client, idle).get_json()["error"] == "invalid_grant"
    clock.advance(hours=20)
    assert party.refresh(client, busy).get_json()["error"] == "invalid_grant"


def test_a_dismissed_person_is_refused_at_once(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    code, tokens = party.code(someone, client), party.tokens(someone, client)
    make.close(someone)
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.redeem(client, code).get_json()["error"] == "invalid_grant"


def test_access_withdrawn_from_the_system_ends_refreshing(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client(system="unet")
    tokens = party.tokens(someone, client)
    with party.app.app_context():
        db.session.scalars(select(Link).where(Link.account_id == someone.id)).one().active = False
        db.session.commit()
        db.session.remove()
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_signing_out_ends_what_clients_hold(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client()
    tokens = party.tokens(someone, client)
    with party.app.app_context():
        end_all_sessions(make.here(), db.session.get_one(Account, someone.id), "test")
        db.session.commit()
        db.session.remove()
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_refresh_tokens_are_stored_as_digests(party: Party, make: Make) -> None:
    tokens = party.tokens(make.account(), party.client())
    with party.app.app_context():
        row = db.session.scalars(select(RefreshToken)).one()
        assert tokens["refresh_token"] not in repr(vars(row))


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(party: Party, make: Make) -> None:
    assert "refresh_token" not in party.tokens(make.account(), party.client(grant_types=["authorization_code"]))


# --- client credentials


def machine(party: Party, **changes: object) -> Registered:
    return party.client(grant_types=["client_credentials"], redirect_uris=[], **changes)


def test_a_client_gets_a_token_for_itself(party: Party) -> None:
    client = machine(party)
    answer = party.token(client, grant_type="client_credentials").get_json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert claims_in(answer["access_token"])["sub"] == client.client_id
    assert answer["scope"] == "orders:read"


def test_that_token_opens_nothing_of_a_person(party: Party) -> None:
    client = machine(party)
    access = party.token(client, grant_type="client_credentials").get_json()["access_token"]
    assert party.userinfo(access).status_code == 403
    for scope in ("openid", "email", "payroll"):
        response = party.token(client, grant_type="client_credentials", scope=scope)
        assert response.get_json()["error"] == "invalid_scope"


def test_a_client_without_the_grant_gets_no_token(party: Party) -> None:
    assert party.token(party.client(), grant_type="client_credentials").get_json()["error"] == "unauthorized_client"


# --- client authentication


def test_secret_in_the_body_works_as_well(party: Party) -> None:
    client = machine(party)
    form: dict[str, Any] = {
        "client_id": client.client_id,
        "client_secret": client.secret,
        "grant_type": "client_credentials",
    }
    assert party.token(None, **form).status_code == 200


def test_a_public_client_names_itself_and_brings_its_verifier(party: Party, make: Make) -> None:
    client = party.client(public=True)
    tokens = party.tokens(make.account(), client)
    assert party.refresh(client, tokens["refresh_token"]).status_code == 200
    code = party.code(make.account("kanat"), client)
    assert party.redeem(client, code, code_verifier=None).get_json()["error"] == "invalid_grant"


def test_every_failure_of_authentication_looks_the_same(party: Party) -> None:
    client, public = machine(party), party.client(public=True)
    assert client.secret is not None
    grant = {"grant_type": "client_credentials"}
    attempts = [
        ({"Authorization": basic(client.client_id, "wrong")}, grant),
        ({"Authorization": basic("nobody", client.secret)}, grant),
        ({"Authorization": basic(public.client_id, "guess")}, grant),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()}, grant),
        ({"Authorization": "Basic not/base64!"}, grant),
        ({"Authorization": "Basic"}, grant),
        ({"Authorization": f"Bearer {client.secret}"}, grant),
        ({}, grant),
        ({}, grant | {"client_id": client.client_id}),
        ({}, grant | {"client_id": "nobody"}),
        ({}, grant | {"client_id": client.client_id, "client_secret": "wrong"}),
        ({}, grant | {"client_id": "nobody", "client_secret": "wrong"}),
        ({}, grant | {"client_id": public.client_id}),
        ({}, grant | {"client_id": public.client_id, "client_secret": ""}),
        ({}, grant | {"client_id": client.client_id, "client_assertion": "x", "client_assertion_type": ""}),
    ]
    answers = [party.token(None, headers=headers, **form) for headers, form in attempts]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert answers[0].get_json()["error"] == "invalid_client"
    assert answers[0].headers["WWW-Authenticate"].startswith("Basic ")


def test_two_ways_of_authentication_at_once_are_refused(party: Party) -> None:
    client = machine(party)
    both: dict[str, Any] = {
        "client_id": client.client_id,
        "client_secret": client.secret,
        "grant_type": "client_credentials",
    }
    for form in (both, both | {"client_secret": "wrong"}):
        response = party.token(client, **form)
        assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    other: dict[str, Any] = {"client_id": "another", "grant_type": "client_credentials"}
    assert party.token(client, **other).get_json()["error"] == "invalid_request"


def test_nothing_is_read_from_the_query(party: Party) -> None:
    client = machine(party)
    query = f"?grant_type=client_credentials&client_id={client.client_id}&client_secret={client.secret}"
    assert party.token(None, query=query).get_json()["error"] == "invalid_request"
    assert party.token(client, query="?grant_type=client_credentials").get_json()["error"] == "invalid_request"
    assert party.token(None, query=query, grant_type="client_credentials").status_code == 401


def test_a_new_secret_kills_the_old_one_at_once(party: Party, make: Make) -> None:
    client = machine(party)
    assert party.token(client, grant_type="client_credentials").status_code == 200
    with party.app.app_context():
        secret = rotate_client_secret(make.here(), client.client_id)
        db.session.commit()
        row = db.session.scalars(select(AuditRecord).where(AuditRecord.act == "client-secret-rotated")).one()
        assert (row.before, row.after) == ({"secret_digest": "changed"}, {"secret_digest": "changed"})
        db.session.remove()
    assert isinstance(secret, str)
    assert party.token(client, grant_type="client_credentials").status_code == 401
    assert party.token(Registered(client.client_id, secret), grant_type="client_credentials").status_code == 200


def test_a_get_is_not_a_token_request(party: Party) -> None:
    assert party.browser().get("/oauth/token", base_url=party.base).status_code == 405


def test_a_grant_that_was_revoked_by_hand_gives_nothing_more(party: Party, make: Make, clock: SetClock) -> None:
    client = party.client()
    tokens = party.tokens(make.account(), client)
    with party.app.app_context():
        db.session.scalars(select(Grant)).one().revoked_at = clock.now()
        assert db.session.scalars(select(Client)).one().client_id == client.client_id
        db.session.commit()
        db.session.remove()
    assert party.refresh(client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_browser_with_a_session_may_redeem_its_own_code(party: Party, make: Make, clock: SetClock) -> None:
    """A page of a public client on our own site brings our cookie along; its old session is noted as seen."""
    client = party.client(public=True)
    browser = party.browser(make.account())
    clock.advance(minutes=5)
    code = party.authorize(browser, client).headers["Location"].split("code=")[1].split("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    response = browser.post("/oauth/token", base_url=party.base, data=form | {"client_id": client.client_id})
    assert response.status_code == 200
