"""Pairwise subjects: what one sector knows a person by tells no other who it is (OIDC Core, 8)."""

from typing import Any

from tests.builders import Make, Someone
from tests.idp.oauth.driver import CALLBACK, Party, Registered, answer_of, claims_in

OTHER_CALLBACK = "https://journal.example/callback"


def pairwise(party: Party, callback: str = CALLBACK, **changes: Any) -> Registered:
    return party.client(subject_type="pairwise", redirect_uris=[callback], **changes)


def subjects(party: Party, someone: Someone, client: Registered, callback: str = CALLBACK) -> set[str]:
    """Every name under which one sign-in tells of the person."""
    answer = answer_of(
        party.authorize(party.browser(someone), client, redirect_uri=callback), callback.partition("?")[0]
    )
    tokens = party.redeem(client, answer["code"], redirect_uri=callback).get_json()
    access = tokens["access_token"]
    told = party.userinfo(access).get_json()
    return {claims_in(access)["sub"], claims_in(tokens["id_token"])["sub"], told["sub"]}


def test_userinfo_id_token_and_access_token_agree_and_never_say_the_public_one(party: Party, make: Make) -> None:
    someone = make.account()
    (sub,) = subjects(party, someone, pairwise(party))
    assert sub != someone.sub
    assert someone.sub not in sub
    assert subjects(party, someone, party.client()) == {someone.sub}


def test_one_sector_knows_a_person_by_one_name_and_two_sectors_by_two(party: Party, make: Make) -> None:
    someone, other = make.account("aida"), make.account("kanat")
    here, again = pairwise(party), pairwise(party)
    there = pairwise(party, OTHER_CALLBACK)
    assert subjects(party, someone, here) == subjects(party, someone, again)
    assert subjects(party, someone, here) != subjects(party, someone, there, OTHER_CALLBACK)
    assert subjects(party, someone, here) != subjects(party, other, here)


def test_a_front_channel_id_token_says_the_same_name(party: Party, make: Make) -> None:
    someone = make.account()
    client = pairwise(party, response_types=["code", "id_token", "code id_token"])
    for response_type in ("id_token", "code id_token"):
        answer = answer_of(party.authorize(party.browser(someone), client, response_type=response_type))
        assert {claims_in(answer["id_token"])["sub"]} == subjects(party, someone, client)


def test_a_hint_names_the_person_by_the_clients_own_name(party: Party, make: Make) -> None:
    someone, other, client = make.account("aida"), make.account("kanat"), pairwise(party)
    hint = party.tokens(someone, client)["id_token"]
    assert "code" in answer_of(party.authorize(party.browser(someone), client, prompt="none", id_token_hint=hint))
    refused = answer_of(party.authorize(party.browser(other), client, prompt="none", id_token_hint=hint))
    assert refused["error"] == "login_required"
