"""Reporting unauthorised access (5.4, 6.5): by the mail's link or signed in; everything stops, one case is open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.here import Here
from idp.flows.lift_lockout import lift_lockout
from idp.flows.misuse_cases import close_misuse_case, misuse_cases
from idp.flows.misuse_link import misuse_link, read_misuse_link
from idp.flows.refusal import Refusal
from idp.flows.report_misuse import report_misuse
from idp.flows.sign_in import SignedIn, sign_in
from idp.models import Account, AuditRecord, Client, Grant, Lockout, Message, MisuseReport, Session
from policies.permissions import Appointment, Who
from tests.builders import Make, Someone
from tests.idp.lock_notices import tell_locks
from tests.idp.web.browser import Browser

Officer = Callable[[str], Here]


def rows(app: Flask, statement: sa.Select[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.execute(statement))
        db.session.remove()
    return found


def report(make: Make, someone: Someone, way: str = "account") -> bool:
    with make.app.app_context(), unit_of_work():
        return report_misuse(make.here(), db.session.get_one(Account, someone.id), way)


def link_of(make: Make, someone: Someone) -> str:
    with make.app.app_context():
        return misuse_link(make.here(), someone.id).removeprefix(make.service.settings.base_url)


@pytest.fixture
def officer(make: Make) -> Officer:
    """The circumstances of somebody appointed to a role."""

    def appointed(role: str) -> Here:
        who = Who("officer", (Appointment(role, None, None, make.clock.now(), None),))
        return replace(make.here(), who=who, actor="account/bakyt")

    return appointed


def close(make: Make, here: Here, result: str = "It was a colleague") -> Refusal | None:
    [(case,)] = rows(make.app, sa.select(MisuseReport.id).order_by(MisuseReport.reported_at.desc()).limit(1))
    with make.app.app_context(), unit_of_work():
        return close_misuse_case(here, case, result)


# --- the report


def test_a_report_locks_ends_every_session_and_grant_and_keeps_the_moment(make: Make, clock: SetClock) -> None:
    aida, bermet = make.account(), make.account("bermet")
    browser, other = Browser(make), Browser(make)
    browser.sign_in(aida)
    other.sign_in(bermet)
    with make.app.app_context(), unit_of_work():
        client = Client(client_id="lib", registration={}, created_at=clock.now())
        outlived = Session(
            account_id=aida.id, token_digest="x", started_at=clock.now(), authenticated_at=clock.now(), amr=[],
            last_seen_at=clock.now(), ended_at=clock.now(), end_reason="outlived", agent="",
        )  # fmt: skip
        db.session.add_all([client, outlived])
        db.session.flush()
        held = {"client_id": client.id, "session_id": outlived.id, "scope": "openid", "granted_at": clock.now()}
        db.session.add_all([Grant(account_id=aida.id, **held), Grant(account_id=bermet.id, **held)])
    clock.advance(minutes=5)
    assert report(make, aida)
    assert browser.get("/account").status_code == 303
    assert other.get("/account").status_code == 200
    assert browser.sign_in(aida).status_code == 401, "even with the right password"
    assert rows(make.app, sa.select(Grant.revoke_reason).order_by(Grant.id)) == [("misuse-reported",), (None,)]
    assert rows(make.app, sa.select(MisuseReport.account_id, MisuseReport.reported_at, MisuseReport.closed_at)) == [
        (aida.id, clock.now(), None)
    ]
    assert rows(make.app, sa.select(Message.template, Message.to)) == [("misuse-reported", "aida@example.org")]


def test_reported_twice_it_is_one_case_and_one_mail(make: Make) -> None:
    aida = make.account()
    assert [report(make, aida) for _ in range(2)] == [True, False]
    assert len(rows(make.app, sa.select(MisuseReport.id))) == len(rows(make.app, sa.select(Message.id))) == 1


def test_of_twenty_reports_at_once_one_opens_the_case(make: Make) -> None:
    aida, start = make.account(), Barrier(10)

    def hand(number: int) -> bool:
        if number < 10:
            start.wait()
        return report(make, aida)

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(hand, range(20))) == [False] * 19 + [True]
    assert len(rows(make.app, sa.select(MisuseReport.id))) == 1
    assert len(rows(make.app, sa.select(AuditRecord.number).where(AuditRecord.act == "locked"))) == 1


def test_however_sign_ins_and_the_report_meet_no_session_outlives_it(make: Make) -> None:
    aida, start = make.account(), Barrier(6)

    def hand(number: int) -> None:
        start.wait()
        if number == 3:
            report(make, aida)
            return
        with make.app.app_context(), unit_of_work():
            sign_in(make.here(), "aida", aida.password)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hand, range(6)))
    assert rows(make.app, sa.select(Session.id).where(Session.ended_at.is_(None))) == []


def test_only_an_officer_opens_the_login_again_and_a_second_report_locks_it_again(make: Make, officer: Officer) -> None:
    aida = make.account()
    report(make, aida)
    with make.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, aida.id)
        assert lift_lockout(officer("admin"), account, "came with her passport") == Refusal("case-open")
        [case] = db.session.scalars(sa.select(MisuseReport.id))
        assert close_misuse_case(officer("security"), case, "a joke of a friend") is None
        assert lift_lockout(officer("admin"), account, "came with her passport") is None
    with make.app.app_context(), unit_of_work():
        assert isinstance(sign_in(make.here(), "aida", aida.password), SignedIn)
    assert report(make, aida) is True
    assert rows(make.app, sa.select(Lockout.locked_at.is_not(None))) == [(True,)]
    assert rows(make.app, sa.select(Session.id).where(Session.ended_at.is_(None))) == []


# --- the link


def test_the_link_in_the_mail_of_a_lock_reports_by_a_form_and_a_look_at_it_changes_nothing(make: Make) -> None:
    aida = make.account()
    for _ in range(4):
        with make.app.app_context(), unit_of_work():
            sign_in(make.here(), "aida", "Not-the-1-password")
    tell_locks(make)
    with make.app.app_context():
        message = db.session.scalars(sa.select(Message).where(Message.template == "locked")).one()
        assert message.content is not None
        sealed = make.service.vault.open(message.content, f"message/{message.id}")
        db.session.remove()
    link = link_of(make, aida)
    assert link in sealed
    stranger = Browser(make)
    page = stranger.get(link)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert rows(make.app, sa.select(MisuseReport.id)) == []
    assert "Your account is locked" in stranger.submit(link, {"told": "a sign-in at night"}).text
    assert rows(make.app, sa.select(MisuseReport.way, MisuseReport.told)) == [("mail", "a sign-in at night")]


def test_a_link_that_was_changed_or_is_too_old_does_nothing(make: Make, clock: SetClock) -> None:
    aida, bermet = make.account(), make.account("bermet")
    link = link_of(make, aida)
    account, issued, signature = link.removeprefix("/report-misuse/").split(".")
    wrong = [f"{bermet.id.hex}.{issued}.{signature}", f"{account}.{int(issued) + 1}.{signature}",
             f"{account}.{issued}.{'0' * 64}", f"{account}.{issued}", "x"]  # fmt: skip
    browser = Browser(make)
    for token in wrong:
        assert browser.get(f"/report-misuse/{token}").status_code == 410
        assert browser.submit(f"/report-misuse/{token}", {}, page="/sign-in").status_code == 410
    clock.advance(days=7, seconds=-1)
    assert browser.get(link).status_code == 200
    clock.advance(seconds=1)
    assert browser.submit(link, {}, page="/sign-in").status_code == 410
    assert rows(make.app, sa.select(MisuseReport.id)) == []


def test_a_link_from_before_the_case_was_closed_locks_nobody_again(
    make: Make, clock: SetClock, officer: Officer
) -> None:
    aida = make.account()
    link = link_of(make, aida).removeprefix("/report-misuse/")
    report(make, aida, "mail")
    clock.advance(hours=1)
    assert close(make, officer("security")) is None
    clock.advance(hours=1)
    with make.app.app_context():
        assert read_misuse_link(make.here(), link) is None
        fresh = misuse_link(make.here(), aida.id).rpartition("/")[2]
        assert read_misuse_link(make.here(), fresh) is not None
        db.session.remove()


def test_who_is_signed_in_reports_from_the_account_and_is_signed_out(make: Make) -> None:
    aida = make.account()
    browser = Browser(make)
    browser.sign_in(aida)
    answer = browser.submit("/account/report-misuse", {})
    assert "Your account is locked" in answer.text
    assert browser._client.get_cookie("achkych-session") is None
    assert rows(make.app, sa.select(MisuseReport.way)) == [("account",)]
    assert Browser(make).submit("/account/report-misuse", {}, page="/sign-in").status_code == 303


# --- the case


def test_the_security_officer_closes_the_case_with_a_written_result(make: Make, officer: Officer) -> None:
    report(make, make.account())
    security = officer("security")
    refusal = close(make, security, "  ")
    assert refusal is not None
    assert refusal.code == "result-required"
    assert close(make, security) is None
    again = close(make, security)
    assert again is not None
    assert again.code == "gone"
    [(by, result)] = rows(make.app, sa.select(MisuseReport.closed_by, MisuseReport.result))
    assert (by, result) == ("bakyt", "It was a colleague")
    [(record,)] = rows(make.app, sa.select(AuditRecord).where(AuditRecord.act == "misuse-closed"))
    assert (record.login, record.after["result"]) == ("aida", "It was a colleague")


def test_after_a_case_is_closed_a_new_report_opens_a_new_one(make: Make, officer: Officer) -> None:
    aida = make.account()
    report(make, aida)
    close(make, officer("admin"))
    assert report(make, aida)
    assert len(rows(make.app, sa.select(MisuseReport.id))) == 2


@pytest.mark.parametrize("role", ["officer", "hr"])
def test_others_neither_see_nor_close_cases(make: Make, officer: Officer, role: str) -> None:
    report(make, make.account())
    with make.app.app_context():
        assert misuse_cases(officer(role)) == []
        db.session.remove()
    with pytest.raises(Forbidden):
        close(make, officer(role))


def test_nobody_handles_the_case_about_themselves(make: Make, officer: Officer) -> None:
    aida = make.account()
    report(make, aida)
    security = officer("security")
    assert security.who is not None
    herself = replace(security, who=replace(security.who, account_id=str(aida.id)))
    with make.app.app_context():
        assert misuse_cases(herself) == []
        db.session.remove()
    with pytest.raises(Forbidden):
        close(make, herself)


def test_the_case_is_on_the_page_of_the_security_officer_who_closes_it_there(make: Make) -> None:
    report(make, make.account())
    browser = Browser(make)
    browser.sign_in(make.officer("bakyt", role="security", department=None))
    page = browser.get("/misuse").text
    assert "aida" in page
    assert "Case open" in page
    [(case,)] = rows(make.app, sa.select(MisuseReport.id))
    refused = browser.submit(f"/misuse/{case}/close", {"result": ""}, page="/misuse")
    assert (refused.status_code, "Write what came of it." in refused.text) == (422, True)
    browser.submit(f"/misuse/{case}/close", {"result": "Nothing was found"}, page="/misuse")
    assert "Result: Nothing was found" in browser.get("/misuse").text
