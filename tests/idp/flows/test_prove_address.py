"""A new personal address (3.6, 4.2): proved by its owner, told to the old one, and the end of what went there before."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.flows.change_profile import withdraw_change
from idp.flows.prove_address import find_proof, prove_address
from idp.flows.refusal import Refusal
from idp.flows.reset_password import find_reset
from tests.builders import Make, Someone
from tests.idp.details import CONTACTS, Desk, wrong
from tests.idp.hr import Hr
from tests.idp.recovery import link_of, mails, texts

NEW = "aida@example.net"


@pytest.fixture
def house(make: Make) -> Desk:
    return Desk(make)


@pytest.fixture
def aida(make: Make) -> Someone:
    return make.account(**CONTACTS)


def asked(make: Make, house: Desk, someone: Someone, address: str = NEW) -> str:
    """The token that was mailed to the new address."""
    assert house.contacts(someone, personal_email=address) == ["personal_email"]
    return next(one.token for one in reversed(mails(make)) if one.template == "address-proof")


def test_it_counts_once_the_link_is_opened_and_not_before(make: Make, house: Desk, aida: Someone, hr: Hr) -> None:
    token = asked(make, house, aida)
    assert house.known(aida)["personal_email"] == "aida@example.org"
    assert house.by(aida, find_proof, token) == NEW
    assert house.by(aida, prove_address, token) is None
    assert house.known(aida)["personal_email"] == NEW
    assert not house.waiting(aida)
    assert house.by(aida, prove_address, token) == Refusal("spent")
    (act,) = hr.acts("person-changed")
    assert (act.before, act.after) == ({"personal_email": "aida@example.org"}, {"personal_email": NEW})


def test_the_old_address_hears_of_it_when_asked_and_when_changed_and_learns_the_new_one_in_part(
    make: Make, house: Desk, aida: Someone
) -> None:
    house.by(aida, prove_address, asked(make, house, aida))
    assert [(one.to, one.template) for one in mails(make)] == [
        (NEW, "address-proof"),
        ("aida@example.org", "address-changing"),
        ("aida@example.org", "address-changing"),
    ]
    for text in texts(make)[1:]:
        assert "/report-misuse/" in text
        assert "a…a@example.net" in text
        assert NEW not in text
    assert "report-misuse" not in texts(make)[0], "the new address may be a stranger's"


def test_links_for_a_forgotten_password_that_went_to_the_old_address_are_dead(
    make: Make, house: Desk, aida: Someone
) -> None:
    recovery = link_of(make)
    token = asked(make, house, aida)
    with make.app.app_context():
        assert find_reset(recovery, make.clock.now()) is not None
    house.by(aida, prove_address, token)
    with make.app.app_context():
        assert find_reset(recovery, make.clock.now()) is None


def test_the_link_is_of_use_to_its_person_alone_and_for_a_day(make: Make, house: Desk, aida: Someone) -> None:
    stranger = make.account("bermet")
    token = asked(make, house, aida)
    assert house.by(stranger, find_proof, token) is None
    assert house.by(stranger, prove_address, token) == Refusal("spent")
    assert house.by(aida, prove_address, "made-up") == Refusal("spent")
    make.clock.advance(hours=24)
    assert house.by(aida, prove_address, token) == Refusal("spent")
    assert house.known(aida)["personal_email"] == "aida@example.org"


def test_what_is_taken_back_or_asked_anew_can_not_be_proved(make: Make, house: Desk, aida: Someone) -> None:
    first = asked(make, house, aida)
    second = asked(make, house, aida, "other@example.net")
    assert house.by(aida, prove_address, first) == Refusal("spent")
    assert house.by(aida, withdraw_change, house.waiting(aida)["personal_email"]) is None
    assert house.by(aida, prove_address, second) == Refusal("spent")


def test_one_address_after_another_is_refused_and_nothing_else_of_the_form_changes(
    make: Make, house: Desk, aida: Someone
) -> None:
    for number in range(3):
        asked(make, house, aida, f"stranger{number}@example.net")
    outcome = house.contacts(aida, personal_email="stranger4@example.net", mobile_phone="+996555123456")
    assert wrong(outcome) == {"personal_email": "asked-too-often"}
    assert house.known(aida)["mobile_phone"] == CONTACTS["mobile_phone"]
    make.clock.advance(minutes=61)
    asked(make, house, aida)


def test_of_many_uses_at_once_one_counts(make: Make, house: Desk, aida: Someone, hr: Hr) -> None:
    token = asked(make, house, aida)

    def use(_: int) -> Any:
        return house.by(aida, prove_address, token)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(use, range(8)))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, *[Refusal("spent")] * 7]))
    assert len(hr.acts("person-changed")) == 1


def test_recomputing_from_orders_keeps_it(make: Make, house: Desk, hr: Hr) -> None:
    hr.deliver("hire")
    account = hr.account()
    anara = Someone(account.id, account.login, "", account.sub)
    make.clock.advance(minutes=1)
    house.by(anara, prove_address, asked(make, house, anara, "anara@example.net"))
    make.clock.advance(days=1)
    hr.deliver("transfer")
    assert house.known(anara)["personal_email"] == "anara@example.net"
