"""One code, one refresh token, many hands: exactly one wins, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from werkzeug.test import TestResponse

from tests.builders import Make
from tests.idp.oauth.driver import Party

HANDS = 100


def at_once(act: Callable[[], TestResponse]) -> list[TestResponse]:
    """The answers to the same act done by all hands at the same moment."""
    start = Barrier(HANDS)

    def hand(_: int) -> TestResponse:
        start.wait()
        return act()

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(hand, range(HANDS)))


def test_of_a_hundred_parallel_redemptions_of_a_code_one_succeeds(party: Party, make: Make) -> None:
    client = party.client()
    code = party.code(make.account(), client)
    answers = at_once(lambda: party.redeem(client, code))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (HANDS - 1)
    winner = next(answer for answer in answers if answer.status_code == 200).get_json()
    assert party.userinfo(winner["access_token"]).status_code == 401, "a second use takes back what the first gave"


def test_a_hundred_parallel_uses_of_a_refresh_token_give_one_pair(party: Party, make: Make) -> None:
    client = party.client(access_token_signed_response_alg="EdDSA")
    refresh_token = party.tokens(make.account(), client)["refresh_token"]
    answers = [answer.get_json() for answer in at_once(lambda: party.refresh(client, refresh_token))]
    assert len({(answer["access_token"], answer["refresh_token"]) for answer in answers}) == 1
    assert party.refresh(client, answers[0]["refresh_token"]).status_code == 200
    assert party.refresh(client, refresh_token).get_json()["error"] == "invalid_grant"
