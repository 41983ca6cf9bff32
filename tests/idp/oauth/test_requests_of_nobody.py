"""What is kept for nobody who has signed in is limited per client address (ASVS 2.4.1): pages, pushed requests, devices."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from idp.db import db
from idp.models import AuthorizationRequest
from policies.registration import DEVICE_CODE
from tests.builders import Make
from tests.idp.oauth.driver import Party
from tests.idp.oauth.test_device import a_device, start
from tests.idp.oauth.test_pushed_request import push

MOST = 3


@pytest.fixture(autouse=True)
def three_each(make: Make) -> None:
    rules = make.service.profile.rules
    throttle = replace(rules.throttle, requests=MOST)
    profile = replace(make.service.profile, rules=replace(rules, throttle=throttle))
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=profile)


def kept(party: Party) -> int:
    with party.app.app_context():
        return db.session.scalar(select(func.count(AuthorizationRequest.id))) or 0


def test_a_stranger_who_begins_too_many_sign_ins_waits_and_leaves_nothing_more(party: Party, make: Make) -> None:
    client, browser = party.client(), make.browser()
    answers = [party.authorize(browser, client) for _ in range(MOST + 2)]
    assert [answer.status_code for answer in answers] == [303] * MOST + [429] * 2
    assert (answers[-1].mimetype, answers[-1].headers["Retry-After"]) == ("text/html", "60")
    assert kept(party) == MOST


def test_who_has_signed_in_is_not_counted(party: Party, make: Make) -> None:
    client, browser = party.client(), make.browser()
    party.sign_in(browser, make.account())
    answers = [party.authorize(browser, client, prompt="consent") for _ in range(MOST + 2)]
    assert {answer.status_code for answer in answers} == {303}


def test_a_client_without_a_secret_pushes_no_more_than_that_and_one_with_a_secret_as_it_likes(party: Party) -> None:
    public, confidential = party.client(public=True), party.client()
    answers = [push(party, public) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [201] * MOST + [429]
    assert answers[-1].get_json()["error"] == "temporarily_unavailable"
    assert answers[-1].headers["Retry-After"] == "60"
    assert {push(party, confidential).status_code for _ in range(MOST + 1)} == {201}


def test_devices_without_a_secret_ask_no_more_often_than_that(party: Party) -> None:
    public = a_device(party)
    confidential = a_device(party, public=False, grant_types=[DEVICE_CODE])
    assert [start(party, public).status_code for _ in range(MOST + 1)] == [200] * MOST + [429]
    assert {start(party, confidential).status_code for _ in range(MOST + 1)} == {200}
