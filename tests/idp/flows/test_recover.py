"""Forgotten passwords and logins (4.2, 4.3, S2-3.4): who is mailed, what a link opens, and what kills it."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.crypto import digest
from idp.db import db, unit_of_work
from idp.errors import Busy
from idp.flows.change_factors import new_recovery_codes
from idp.flows.one_time_links import spend_link
from idp.flows.recover import ask_to_recover
from idp.flows.refusal import Refusal
from idp.flows.reset_password import find_reset
from idp.flows.sign_in import sign_in
from idp.models import (
    Account,
    AffiliationRow,
    AuditRecord,
    Client,
    Credential,
    Grant,
    Link,
    Lockout,
    Person,
    Recovery,
    RecoveryRequest,
    Session,
    System,
)
from idp.provisioning.carry_out import carry_out
from idp.provisioning.sweep import due_work
from idp.provisioning.workshop import open_workshop
from policies.recovery import Forgotten
from tests.builders import PASSWORD, Make, Someone
from tests.idp.recovery import NEW, ask, link_of, mails, texts, use


def rows(app: Flask, statement: sa.Select[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.execute(statement))
        db.session.remove()
    return found


def change(app: Flask, statement: sa.Update) -> None:
    with app.app_context(), unit_of_work():
        db.session.execute(statement)


def outcomes(app: Flask) -> list[tuple[str | None, str]]:
    """Of whom was asked and what came of it, by the trail."""
    asked = sa.select(AuditRecord.login, AuditRecord.after).where(AuditRecord.act == "recovery-asked")
    return [(login, after["outcome"]) for login, after in rows(app, asked.order_by(AuditRecord.number))]


def signs_in(make: Make, password: str, login: str = "aida") -> bool:
    with make.app.app_context(), unit_of_work():
        return not isinstance(sign_in(make.here(), login, password), Refusal)


def works(make: Make, token: str) -> bool:
    with make.app.app_context():
        return find_reset(token, make.clock.now()) is not None


@pytest.mark.parametrize("entered", ["aida", " AIDA ", "aida@example.org", "Aida@Example.org", "aida@kstu.kg"])
def test_by_login_or_address_a_link_goes_to_the_personal_address(make: Make, entered: str) -> None:
    make.account(personal_email="Aida@example.org")
    ask(make, entered)
    (mail,) = mails(make)
    assert (mail.to, mail.template) == ("Aida@example.org", "password-reset")
    assert mail.link.startswith("http://localhost/recovery/")
    assert len(mail.token) >= 43  # 256 bits
    (text,) = texts(make)
    assert mail.link in text
    assert "60 мүнөттүн" in text


def test_closed_unknown_unactivated_and_unreachable_accounts_get_nothing_and_the_trail_says_why(
    app: Flask, make: Make
) -> None:
    make.close(make.account("closed"))
    make.account("silent", personal_email=None)
    newcomer = make.account("newcomer")
    change(app, sa.update(Account).where(Account.id == newcomer.id).values(activated_at=None))
    for login in ("closed", "silent", "newcomer", "nobody\x00", ""):
        ask(make, login)
    ask(make, "closed@example.org", Forgotten.LOGIN)
    assert mails(make) == []
    assert outcomes(app) == [
        ("closed", "closed"), ("silent", "no-address"), ("newcomer", "not-activated"), ("nobody", "unknown"),
        ("", "unknown"), ("closed", "closed"),
    ]  # fmt: skip
    assert rows(app, sa.select(RecoveryRequest.id)) == []


def test_a_forgotten_login_is_told_to_everybody_of_that_personal_address_and_to_no_other(make: Make) -> None:
    for login in ("aida", "bakyt"):
        make.account(login, personal_email="family@example.org")
    make.account("cholpon")
    ask(make, "family@example.org", Forgotten.LOGIN)
    ask(make, "cholpon", Forgotten.LOGIN)
    assert [(mail.to, mail.template) for mail in mails(make)] == [("family@example.org", "login-reminder")] * 2
    assert [[login for login in ("aida", "bakyt") if f"    {login}\n" in text] for text in texts(make)] == [
        ["aida"], ["bakyt"],
    ]  # fmt: skip


def test_an_account_gets_three_mails_an_hour_whichever_it_asks_for(app: Flask, make: Make, clock: SetClock) -> None:
    make.account()
    for _ in range(3):
        ask(make, "aida")
        ask(make, "aida@example.org", Forgotten.LOGIN)
    assert [outcome for _, outcome in outcomes(app)] == ["mailed"] * 3 + ["enough"] * 3
    clock.advance(hours=1)
    ask(make, "aida")
    assert len(mails(make)) == 4


def test_of_ten_requests_answered_at_once_three_are_mailed_and_one_link_works(app: Flask, make: Make) -> None:
    make.account()
    with app.app_context(), unit_of_work():
        for _ in range(10):
            ask_to_recover(make.here(), Forgotten.PASSWORD, "aida")
    workshop, requests = open_workshop(app), rows(app, sa.select(RecoveryRequest.id))
    at_once(10, lambda number: carry_out(workshop, "recovery", requests[number].id))
    assert Counter(outcome for _, outcome in outcomes(app)) == {"mailed": 3, "enough": 7}
    assert rows(app, sa.select(sa.func.count()).select_from(Recovery).where(Recovery.voided_at.is_(None))) == [(1,)]


def test_a_worker_finds_the_request_by_itself_after_the_mails_that_wait(app: Flask, make: Make) -> None:
    make.account()
    ask(make, "aida")
    with app.app_context(), unit_of_work():
        ask_to_recover(make.here(), Forgotten.PASSWORD, "aida")
    with app.app_context():
        assert [work.kind for work in due_work(make.clock.now(), "mail-out", 10)] == ["message", "recovery"]


def test_a_request_that_crashes_is_forgotten(app: Flask, make: Make) -> None:
    with app.app_context(), unit_of_work():
        ask_to_recover(make.here(), Forgotten.PASSWORD, "aida")
        db.session.flush()
        db.session.execute(sa.update(RecoveryRequest).values(entered=b"k1:spoilt"))
    (row,) = rows(app, sa.select(RecoveryRequest.id))
    carry_out(open_workshop(app), "recovery", row.id)
    assert rows(app, sa.select(RecoveryRequest.id)) == []


def test_what_was_entered_and_the_link_are_nowhere_in_clear(app: Flask, make: Make) -> None:
    make.account()
    with app.app_context(), unit_of_work():
        ask_to_recover(make.here(), Forgotten.PASSWORD, "aida@example.org")
    assert b"aida" not in rows(app, sa.select(RecoveryRequest.entered))[0].entered
    token = link_of(make)
    assert rows(app, sa.select(Recovery.token_digest).where(Recovery.voided_at.is_(None))) == [(digest(token),)]
    use(make, token)
    for (record,) in rows(app, sa.select(AuditRecord)):
        assert not {token, NEW} & set(repr(vars(record)).split("'"))


def test_the_link_sets_a_new_password_once_and_the_person_is_told(app: Flask, make: Make) -> None:
    make.account()
    token = link_of(make)
    assert use(make, token) is None
    assert use(make, token, "Other, 7 words") == Refusal("spent")
    assert (signs_in(make, PASSWORD), signs_in(make, NEW)) == (False, True)
    assert [mail.template for mail in mails(make)] == ["password-reset", "password-changed"]
    done = sa.select(AuditRecord.act).where(AuditRecord.actor == "account/aida").order_by(AuditRecord.number)
    assert rows(app, done) == [("password-set",), ("sessions-ended",), ("signed-in",)]


def test_it_ends_every_session_and_all_that_clients_hold_also_through_sessions_long_over(
    app: Flask, make: Make, clock: SetClock
) -> None:
    aida, other = make.account(), make.account("other")
    for someone in (aida, aida, other):
        assert signs_in(make, PASSWORD, someone.login)
    with app.app_context(), unit_of_work():
        first = db.session.scalars(sa.select(Session).where(Session.account_id == aida.id).limit(1)).one()
        first.ended_at, first.end_reason = clock.now(), "outlived"
        client = Client(client_id="x", registration={}, created_at=clock.now())
        db.session.add(client)
        db.session.flush()
        for session in db.session.scalars(sa.select(Session)).all():
            grant = Grant(account_id=session.account_id, client_id=client.id, session_id=session.id, scope="openid")
            grant.granted_at = clock.now()
            db.session.add(grant)
    assert use(make, link_of(make)) is None
    ended = sa.select(Account.login, Session.end_reason).join(Account, Account.id == Session.account_id).distinct()
    assert set(map(tuple, rows(app, ended))) == {("aida", "outlived"), ("aida", "password-reset"), ("other", None)}
    revoked = sa.select(Account.login, Grant.revoke_reason).join(Account, Account.id == Grant.account_id).distinct()
    assert set(map(tuple, rows(app, revoked))) == {("aida", "password-reset"), ("other", None)}


def test_a_reset_does_not_lift_a_lock(app: Flask, make: Make) -> None:
    make.account()
    for _ in range(4):
        signs_in(make, "Wrong, 1 word")
    assert use(make, link_of(make)) is None
    assert not signs_in(make, NEW)
    assert rows(app, sa.select(Lockout.locked_at.is_not(None))) == [(True,)]


def test_every_broken_rule_is_told_at_once_and_the_link_stays(make: Make) -> None:
    make.account()
    token = link_of(make)
    refusal = use(make, token, "aa", "b")
    assert refusal is not None
    assert set(refusal.details["broken"]) == {
        "too-short", "no-digit", "no-upper", "no-special", "repeated", "mismatch",
    }  # fmt: skip
    assert use(make, token, PASSWORD) == Refusal("password", {"broken": ["used-before"]})
    assert use(make, token) is None


def test_the_link_works_for_an_hour(make: Make, clock: SetClock) -> None:
    make.account()
    token = link_of(make)
    clock.advance(hours=1, microseconds=-1)
    assert works(make, token)
    clock.advance(microseconds=1)
    assert not works(make, token)
    assert use(make, token) == Refusal("spent")


@pytest.mark.parametrize("kind", ["mail", "google"])
def test_a_student_is_mailed_at_the_universitys_address_and_the_link_works_there(
    app: Flask, make: Make, kind: str
) -> None:
    """S2-3.4; employees, and students without a mailbox, at the personal one alone."""
    make.account("aida", systems=("mail",))
    change(app, sa.update(System).where(System.code == "mail").values(kind=kind))
    ask(make, "aida@kstu.kg")
    assert [mail.to for mail in mails(make)] == ["aida@example.org"]
    with app.app_context(), unit_of_work():
        db.session.execute(sa.update(AffiliationRow).values(kind="student"))
    ask(make, "aida@kstu.kg")
    mailed = mails(make)[-1]
    assert mailed.to == "aida@kstu.kg"
    assert use(make, mailed.token) is None
    with app.app_context(), unit_of_work():
        db.session.execute(sa.update(Link).values(active=False))
    ask(make, "aida@kstu.kg")
    assert mails(make)[-1].to == "aida@example.org"


def test_a_new_link_a_new_password_and_a_new_address_kill_it(app: Flask, make: Make) -> None:
    aida = make.account()
    first, second = link_of(make), link_of(make)
    assert (works(make, first), works(make, second)) == (False, True)
    change(app, sa.update(Person).values(personal_email="new@example.org"))
    assert not works(make, second)
    assert use(make, second) == Refusal("spent")
    third = link_of(make)
    change(app, sa.update(Person).values(personal_email="aida@example.org"))
    assert not works(make, second), "voided by the third, though its address is back"
    assert use(make, third) == Refusal("spent")
    assert signs_in(make, aida.password)


def test_a_link_is_dead_once_the_password_was_changed_otherwise(make: Make) -> None:
    make.account()
    token = link_of(make)
    assert use(make, token) is None
    make.clock.advance(hours=1)
    old, new = link_of(make), link_of(make)
    assert use(make, new, "Third, 3 words") is None
    assert not works(make, old)


def test_an_account_that_closes_meanwhile_gets_no_password(app: Flask, make: Make) -> None:
    aida = make.account()
    token = link_of(make)
    make.close(aida)
    assert use(make, token) == Refusal("spent")
    assert rows(app, sa.select(sa.func.count()).select_from(Credential)) == [(1,)]


def test_of_fifty_that_use_one_link_at_once_one_sets_the_password(app: Flask, make: Make) -> None:
    make.account()
    token = link_of(make)
    answers = at_once(50, lambda number: patiently(make, token, f"{NEW} {chr(97 + number % 26)}{number % 9}"))
    assert answers.count(None) == 1
    assert answers.count(Refusal("spent")) == 49
    assert rows(app, sa.select(sa.func.count()).select_from(Credential)) == [(2,)]
    changed = sa.select(sa.func.count()).select_from(AuditRecord).where(AuditRecord.act == "password-set")
    assert rows(app, changed) == [(1,)]


def test_of_fifty_that_spend_one_link_at_once_one_does(app: Flask, make: Make) -> None:
    """Without hashing before it, which would keep them apart."""
    aida = make.account()
    token = link_of(make)

    def hand(_: int) -> bool:
        with app.app_context(), unit_of_work():
            return spend_link(make.here(), Recovery, token, aida.id) is not None

    assert at_once(50, hand).count(True) == 1


def test_a_sign_in_under_way_with_the_old_password_never_outlives_the_reset(app: Flask, make: Make) -> None:
    aida = make.account()
    token = link_of(make)

    def hand(number: int) -> Any:
        return patiently(make, token, NEW) if number == 5 else signs_in_patiently(make, aida)

    at_once(12, hand)
    open_ones = sa.select(sa.func.count()).select_from(Session).where(Session.ended_at.is_(None))
    assert rows(app, open_ones) == [(0,)]


def at_once(hands: int, act: Callable[[int], Any]) -> list[Any]:
    start = Barrier(hands)

    def hand(number: int) -> Any:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(hand, range(hands)))


def patiently(make: Make, token: str, password: str) -> Refusal | None:
    """Comes back when there was no room for hashing."""
    while True:
        try:
            return use(make, token, password)
        except Busy:
            time.sleep(0.05)


def signs_in_patiently(make: Make, someone: Someone) -> bool:
    while True:
        try:
            return signs_in(make, someone.password)
        except Busy:
            time.sleep(0.05)


def test_who_has_a_second_factor_needs_a_code_of_it_for_a_reset(make: Make, app: Flask) -> None:
    aida = make.account()
    token = link_of(make)
    make.enrol(aida)
    for code in ("", "000000"):
        refusal = use(make, token, code=code)
        assert refusal is not None
        assert refusal.code == "wrong-code"
    assert works(make, token)
    assert signs_in(make, PASSWORD)
    assert use(make, token, code=aida.recovery_codes[0]) is None
    assert not works(make, token)
    assert signs_in(make, NEW)
    other = link_of(make)
    used = use(make, other, f"{NEW} 2", code=aida.recovery_codes[0])
    assert used is not None
    assert used.code == "wrong-code", "each code works once"


def test_wrong_codes_at_a_reset_lock_like_any_others(make: Make, app: Flask) -> None:
    aida = make.account()
    token = link_of(make)
    make.enrol(aida)
    told = [use(make, token, code="000000") for _ in range(4)]
    assert [refusal and refusal.code for refusal in told] == ["wrong-code"] * 3 + ["locked"]
    right = use(make, token, code=aida.recovery_codes[0])
    assert right is not None
    assert right.code == "locked"
    assert rows(app, sa.select(Lockout.locked_at.is_not(None)))[0][0]


def test_a_changed_factor_makes_older_links_dead(make: Make, app: Flask) -> None:
    aida = make.account()
    token = link_of(make)
    make.enrol(aida)
    with app.app_context(), unit_of_work():
        new_recovery_codes(make.here(), db.session.get_one(Account, aida.id))
    assert not works(make, token)


def test_a_bad_password_uses_up_no_code_and_tells_nothing_of_earlier_ones(make: Make) -> None:
    aida = make.account()
    token = link_of(make)
    make.enrol(aida)
    code = aida.recovery_codes[0]
    short = use(make, token, "Aa", code=code)
    assert short is not None
    assert (short.code, "too-short" in short.details["broken"]) == ("password", True)
    guessed = use(make, token, PASSWORD, code="000000")
    assert guessed is not None
    assert guessed.code == "wrong-code"
    known = use(make, token, PASSWORD, code=code)
    assert known is not None
    assert known.details["broken"] == ["used-before"]
    assert use(make, token, code=aida.recovery_codes[1]) is None
