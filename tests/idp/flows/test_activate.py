"""The one-time link (4.4, 5.1): used once by however many hands, dead after the third working day, every rule told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.app import create_app
from idp.clock import SetClock
from idp.crypto import digest
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.activate import activate, find_invitation, issue_activation, issue_activation_again
from idp.flows.choose_password import judge_password, set_password
from idp.flows.here import at_work
from idp.flows.refusal import Refusal
from idp.flows.sign_in import sign_in
from idp.models import Account, Activation, AuditRecord, Credential, Message, Person
from policies.permissions import Appointment, Who
from tests.builders import Make, settings_for
from tests.idp.hr import PIN, Hr

GOOD = "Kumbez, 9 Tash-Rabat"


@pytest.fixture
def link(hr: Hr) -> str:
    """The token in the mail that Anara got with her hire on Wednesday 9 September."""
    hr.deliver("hire")
    with hr.looking() as here:
        message = db.session.scalars(sa.select(Message)).one()
        assert (message.template, message.to) == ("activation", "anara@example.org")
        assert message.content is not None
        told = here.service.vault.open(message.content, f"message/{message.id}")
    return told.partition("/activation/")[2].partition('"')[0]


def use(hr: Hr, token: str, password: str = GOOD, again: str | None = None) -> Refusal | None:
    with hr.app.app_context(), unit_of_work():
        return activate(
            at_work(hr.app.extensions["achkych"], "anonymous"), token, password, password if again is None else again
        )


def broken(hr: Hr, token: str, password: str, again: str | None = None) -> set[str]:
    refusal = use(hr, token, password, again)
    assert refusal is not None
    return set(refusal.details["broken"])


def works(hr: Hr, token: str) -> bool:
    with hr.looking() as here:
        return find_invitation(token, here.now) is not None


def test_the_link_sets_the_first_password_and_is_spent(hr: Hr, link: str) -> None:
    assert use(hr, link) is None
    assert use(hr, link, "Another-1 password") == Refusal("spent")
    assert hr.account().activated_at == hr.clock.now()
    with hr.app.app_context(), unit_of_work():
        assert not isinstance(sign_in(at_work(hr.app.extensions["achkych"], "anonymous"), "a.ulgubaeva", GOOD), Refusal)


def test_looking_at_the_link_does_not_spend_it(hr: Hr, link: str) -> None:
    before = len(hr.acts())
    for _ in range(3):
        assert hr.app.test_client().get(f"/activation/{link}", base_url="http://localhost").status_code == 200
        assert hr.app.test_client().head(f"/activation/{link}", base_url="http://localhost").status_code == 200
    assert len(hr.acts()) == before
    assert use(hr, link) is None


def test_of_twenty_that_use_the_link_at_once_one_sets_the_password(hr: Hr, link: str) -> None:
    start = Barrier(20)

    def hand(number: int) -> Refusal | None:
        start.wait()
        return use(hr, link, f"{GOOD} {chr(97 + number)}")

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(hand, range(20)))
    assert outcomes.count(None) == 1
    assert outcomes.count(Refusal("spent")) == 19
    assert len(hr.rows(sa.select(Credential.id))) == 1
    assert len(hr.acts("activated")) == len(hr.acts("password-set")) == 1


def test_the_link_works_until_the_end_of_the_third_working_day(hr: Hr, clock: SetClock, link: str) -> None:
    """Thursday, Friday, and over the weekend until Monday the 14th ends in Bishkek."""
    end = datetime(2026, 9, 14, 18, tzinfo=UTC)
    assert hr.rows(sa.select(Activation.expires_at)) == [(end,)]
    clock.moment = end - timedelta(seconds=1)
    assert works(hr, link)
    clock.moment = end
    assert not works(hr, link)
    assert use(hr, link) == Refusal("spent")


def test_a_made_up_link_opens_nothing(hr: Hr, link: str) -> None:
    for token in ("", "x", link[:-1], link + "x", link.upper(), digest(link)):
        assert use(hr, token) == Refusal("spent")


def test_the_database_holds_only_the_digest_of_the_link(hr: Hr, link: str) -> None:
    assert hr.rows(sa.select(Activation.token_digest)) == [(digest(link),)]
    for record in hr.acts():
        assert link not in repr(vars(record))


def test_every_broken_rule_is_told_at_once_and_the_link_stays(hr: Hr, link: str) -> None:
    assert broken(hr, link, "aa", "b") == {
        "too-short", "no-digit", "no-upper", "no-special", "repeated", "mismatch",
    }  # fmt: skip
    assert broken(hr, link, "Password1!") == {"repeated", "common"}
    assert broken(hr, link, "x" * 200) >= {"too-long", "repeated"}
    assert hr.rows(sa.select(Credential.id)) == []
    assert use(hr, link) is None


@pytest.mark.parametrize(
    "own",
    ["a.ulgubaeva", "Ulgubaeva", "Үлгүбаева", "Анара", "Үлгүевна", "T-0101", "996700000001", "700000001", PIN],
)
def test_nothing_of_the_persons_own_may_stand_in_the_password(hr: Hr, link: str, own: str) -> None:
    assert "personal" in broken(hr, link, f"Zx7! {own} q")


def test_the_local_part_of_the_personal_address_is_the_persons_own(hr: Hr, link: str) -> None:
    with hr.app.app_context(), unit_of_work():
        db.session.execute(sa.update(Person).values(personal_email="sunflower@example.org"))
    assert "personal" in broken(hr, link, "Zx7! Sunflower q")


def test_an_earlier_password_never_comes_back(hr: Hr, link: str) -> None:
    assert use(hr, link) is None
    for number in range(5):
        assert choose(hr, f"{GOOD} {number}") == ()
    assert choose(hr, GOOD) == ("used-before",)
    assert choose(hr, f"{GOOD} 2") == ("used-before",)
    assert choose(hr, "Ｋumbez, 9 Tash-Rabat") == ("used-before",), "another spelling of the same characters"


def test_an_earlier_password_is_known_also_after_the_cost_of_hashing_was_raised(hr: Hr, link: str) -> None:
    assert use(hr, link) is None
    settings = settings_for(hr.app.config["SQLALCHEMY_DATABASE_URI"], hashing={"rounds": 3})
    dearer = Hr(create_app(settings, hr.clock), hr.clock)
    assert choose(dearer, f"{GOOD} x") == ()
    assert choose(dearer, GOOD) == ("used-before",)
    with dearer.app.app_context():
        db.engine.dispose()


def choose(hr: Hr, password: str) -> tuple[str, ...]:
    """Take a new password, or say why not."""
    account_id = hr.account().id
    with hr.app.app_context(), unit_of_work():
        here = at_work(hr.app.extensions["achkych"], "test")
        found, password_hash = judge_password(here, account_id, password)
        if password_hash is not None:
            set_password(here, db.session.get_one(Account, account_id), password_hash)
        return tuple(rule.value for rule in found)


def test_a_new_link_voids_the_one_before(hr: Hr, link: str) -> None:
    with hr.app.app_context(), unit_of_work():
        here = at_work(hr.app.extensions["achkych"], "test")
        account = db.session.scalars(sa.select(Account)).one()
        second = issue_activation(here, account).rpartition("/")[2]
    assert (works(hr, link), works(hr, second)) == (False, True)


def test_an_officer_sends_a_new_link_for_the_own_department_and_never_learns_it(hr: Hr, make: Make, link: str) -> None:
    def again(department: str) -> Any:
        appointed = Appointment("officer", department, None, hr.clock.now(), None)
        with hr.app.app_context(), unit_of_work():
            here = make.here()
            from_ = type(here)(here.service, here.now, "account/bakyt", "r-1", who=Who("somebody", (appointed,)))
            return issue_activation_again(from_, db.session.scalars(sa.select(Account)).one())

    with pytest.raises(Forbidden):
        again("0112")
    assert works(hr, link)
    assert again("0407") is None
    assert not works(hr, link)
    issued = hr.acts("activation-issued")[-1]
    assert (issued.actor, issued.after) == ("account/bakyt", {"valid_until": "2026-09-14", "mailed": True})
    assert hr.rows(sa.select(sa.func.count()).select_from(Message)) == [(2,)]


def test_no_password_ever_reaches_the_trail(hr: Hr, app: Flask, link: str) -> None:
    use(hr, link, "aa")
    use(hr, link)
    with hr.looking():
        for record in db.session.scalars(sa.select(AuditRecord)):
            assert GOOD not in repr(vars(record))
            assert "$argon2" not in repr(vars(record))
    assert hr.acts("password-set")[0].after == {"password": "changed"}
