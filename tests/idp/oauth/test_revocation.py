"""Revocation: by the client concerned, and nobody else."""

import pytest

from tests.builders import Make
from tests.idp.oauth.driver import Party


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "nonsense"])
def test_revoking_either_token_ends_the_grant(party: Party, make: Make, kind: str, hint: str | None) -> None:
    client = party.client()
    tokens = party.tokens(make.account(), client)
    form = {"token": tokens[kind]} | ({"token_type_hint": hint} if hint else {})
    assert party.revoke(client, **form).status_code == 200
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.refresh(client, tokens["refresh_token"]).status_code == 400


def test_a_public_client_may_revoke_as_well(party: Party, make: Make) -> None:
    client = party.client(public=True)
    tokens = party.tokens(make.account(), client)
    assert party.revoke(client, token=tokens["refresh_token"]).status_code == 200
    assert party.refresh(client, tokens["refresh_token"]).status_code == 400


def test_another_client_can_not_revoke(party: Party, make: Make) -> None:
    client, other = party.client(), party.client()
    tokens = party.tokens(make.account(), client)
    for kind in ("refresh_token", "access_token"):
        assert party.revoke(other, token=tokens[kind]).status_code == 400
    assert party.revoke(None, token=tokens["refresh_token"]).status_code == 401
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_an_unknown_token_is_as_good_as_revoked(party: Party) -> None:
    client = party.client()
    for token in ("never-issued", "ноль", "a.b.c"):
        assert party.revoke(client, token=token).status_code == 200


def test_what_can_not_be_done_is_said(party: Party) -> None:
    client = party.client(grant_types=["client_credentials"], redirect_uris=[])
    access = party.token(client, grant_type="client_credentials").get_json()["access_token"]
    assert party.revoke(client, token=access).get_json()["error"] == "unsupported_token_type"
    assert party.revoke(client).get_json()["error"] == "invalid_request"
    assert party.revoke(client, token=["a", "b"]).get_json()["error"] == "invalid_request"
