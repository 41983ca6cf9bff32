"""Authorization answers as one signed JWT (JARM)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.clock import SetClock
from tests.builders import Make
from tests.idp.oauth.driver import Party, answer_of
from tests.idp.oauth.reading import read_signed
from tests.idp.oauth.test_hybrid import hybrid, posted

WAYS = {  # response_mode, response_type: where the answer is
    ("jwt", "code"): "query",
    ("query.jwt", "code"): "query",
    ("fragment.jwt", "code"): "fragment",
    ("jwt", "code id_token"): "fragment",
    ("fragment.jwt", "id_token"): "fragment",
}


@pytest.mark.parametrize(("asked", "place"), WAYS.items(), ids=[" ".join(way) for way in WAYS])
def test_the_whole_answer_is_signed_and_nothing_stands_beside_it(
    party: Party, make: Make, clock: SetClock, asked: tuple[str, str], place: str
) -> None:
    client = hybrid(party)
    mode, response_type = asked
    browser = party.browser(make.account())
    response = party.authorize(browser, client, response_mode=mode, response_type=response_type)
    address = urlsplit(response.headers["Location"])
    assert parse_qs(address.query).keys() | parse_qs(address.fragment).keys() == {"tenant", "response"}
    assert "response=" in getattr(address, place)
    claims = read_signed(party, answer_of(response)["response"], "RS256")
    assert (claims["iss"], claims["aud"], claims["state"]) == (party.base, client.client_id, "s-1")
    assert 0 < claims["exp"] - clock.now().timestamp() <= 600
    assert set(response_type.split()) <= claims.keys()


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
def test_it_is_signed_as_the_client_registered(party: Party, make: Make, algorithm: str) -> None:
    client = party.client(authorization_signed_response_alg=algorithm)
    answer = answer_of(party.authorize(party.browser(make.account()), client, response_mode="jwt"))
    code = read_signed(party, answer["response"], algorithm)["code"]
    assert party.redeem(client, code).status_code == 200


MISTAKES: dict[str, dict[str, Any]] = {
    "a mistake": {"scope": "payroll"},
    "nobody there": {"prompt": "none"},
}


@pytest.mark.parametrize("changes", MISTAKES.values(), ids=MISTAKES.keys())
def test_refusals_are_signed_too(party: Party, changes: dict[str, Any]) -> None:
    answer = answer_of(party.authorize(party.browser(), party.client(), response_mode="jwt", **changes))
    claims = read_signed(party, answer["response"], "RS256")
    assert claims["error"] in ("invalid_scope", "login_required")
    assert claims["state"] == "s-1"
    assert "error" not in answer


def test_in_a_form_there_is_one_field(party: Party, make: Make) -> None:
    client = hybrid(party)
    browser = party.browser(make.account())
    response = party.authorize(browser, client, response_mode="form_post.jwt", response_type="code id_token")
    values = posted(response)
    assert values.keys() == {"response"}
    assert {"code", "id_token", "state"} <= read_signed(party, values["response"], "RS256").keys()


def test_what_belongs_into_a_fragment_does_not_go_into_a_query_signed_or_not(party: Party, make: Make) -> None:
    browser = party.browser(make.account())
    response = party.authorize(browser, hybrid(party), response_mode="query.jwt", response_type="id_token")
    assert "id_token" not in urlsplit(response.headers["Location"]).query
    assert answer_of(response)["error"] == "invalid_request"
