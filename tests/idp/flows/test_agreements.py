"""Agreements (6.2, 6.3, annex 2): who is asked for which, each accepted once, and its text kept for good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.crypto import digest
from idp.db import db, unit_of_work
from idp.flows.accept_agreement import accept_agreement
from idp.flows.agreement_texts import own_agreement, own_agreements
from idp.flows.here import Here
from idp.flows.load_profile import load_profile
from idp.flows.refusal import Refusal
from idp.flows.sessions import LiveSession, find_session, start_session
from idp.models import Acceptance, Account, AffiliationRow, AgreementText, AuditRecord, Session
from idp.oauth.interaction import facts_for
from idp.service import Service
from policies.agreement import Agreement, digest_of
from policies.profile import AgreementTexts, Names
from tests.builders import Make, Someone


@pytest.fixture
def changed(make: Make) -> Iterator[Service]:
    """The service after the next version of the user agreement has come into force."""
    profile = make.service.profile
    texts = {language: f"{text}\n5." for language, text in profile.agreements[0].texts.items()}
    newer = AgreementTexts(Agreement("user", "3", digest_of("3", texts)), Names("Жаңы", "Новое", "New"), texts)
    return replace(make.service, profile=replace(profile, agreements=(newer, *profile.agreements[1:])))


def here_of(make: Make, service: Service | None = None) -> Here:
    return replace(make.here(), service=service or make.service, address="192.0.2.7", actor="account/aida")


def session_of(make: Make, someone: Someone) -> LiveSession:
    with make.app.app_context(), unit_of_work():
        token = start_session(make.here(), db.session.get_one(Account, someone.id))
        db.session.flush()
        assert db.session.scalar(sa.select(Session.id).where(Session.token_digest == digest(token)))
    with make.app.app_context():
        found = find_session(token, make.clock.now())
        assert found is not None
        return found


def belong(make: Make, someone: Someone, kind: str, **more: Any) -> None:
    """Their only affiliation."""
    with make.app.app_context(), unit_of_work():
        person = db.session.get_one(Account, someone.id).person_id
        db.session.execute(sa.delete(AffiliationRow).where(AffiliationRow.person_id == person))
        db.session.add(AffiliationRow(person_id=person, kind=kind, **({"starts_on": date(2026, 9, 1)} | more)))


def is_asked(make: Make, someone: Someone) -> bool:
    session = session_of(make, someone)
    with make.app.app_context():
        return not facts_for(None, session, make.here()).agreement_accepted


def accept(make: Make, someone: Someone, sha256: str, service: Service | None = None) -> Refusal | None:
    with make.app.app_context(), unit_of_work():
        return accept_agreement(here_of(make, service), db.session.get_one(Account, someone.id), sha256)


def test_an_employee_accepts_both_and_a_student_one(make: Make) -> None:
    user, hr = make.service.profile.in_force
    employee, student = make.account(accepted=False), make.account("student", accepted=False)
    belong(make, student, "student")
    for someone in (employee, student):
        assert is_asked(make, someone)
        assert accept(make, someone, user.sha256) is None
    assert (is_asked(make, employee), is_asked(make, student)) == (True, False)
    assert accept(make, employee, hr.sha256) is None
    assert not is_asked(make, employee)


def test_a_student_who_begins_to_work_here_is_asked_and_who_has_left_is_not(make: Make) -> None:
    someone = make.account(accepted=False)
    belong(make, someone, "student")
    accept(make, someone, make.service.profile.in_force[0].sha256)
    assert not is_asked(make, someone)
    belong(make, someone, "employee")
    assert is_asked(make, someone)
    belong(make, someone, "employee", ends_on=date(2026, 9, 8))
    assert not is_asked(make, someone)
    belong(make, someone, "employee", ended_at=make.clock.now())
    assert not is_asked(make, someone)


def test_a_change_of_one_text_asks_for_that_one_again(make: Make, changed: Service) -> None:
    aida = make.account()
    session = session_of(make, aida)
    with make.app.app_context():
        here = here_of(make, changed)
        assert not facts_for(None, session, here).agreement_accepted
    new = changed.profile.in_force[0]
    assert accept(make, aida, make.service.profile.in_force[0].sha256, changed) == Refusal("text-changed")
    assert accept(make, aida, new.sha256, changed) is None
    session = session_of(make, aida)
    with make.app.app_context():
        assert facts_for(None, session, here_of(make, changed)).agreement_accepted, "the other one still counts"


def test_of_twenty_that_accept_at_once_one_is_noted(make: Make, app: Flask) -> None:
    aida, start = make.account(accepted=False), Barrier(20)
    sha256 = make.service.profile.in_force[0].sha256

    def tick(_: int) -> Refusal | None:
        start.wait()
        return accept(make, aida, sha256)

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(tick, range(20))) == [None] * 20
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Acceptance)) == 1
        told = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "agreement-accepted")).one()
        assert told.after == {"agreement": "user", "version": "2", "agreement_hash": sha256}


def test_texts_in_force_are_kept_when_the_profile_is_loaded_and_never_overwritten(
    make: Make, app: Flask, changed: Service, clock: SetClock
) -> None:
    clock.advance(days=1)
    with app.app_context(), unit_of_work():
        load_profile(here_of(make, changed))
    with app.app_context():
        kept = {one.sha256: one for one in db.session.scalars(sa.select(AgreementText))}
        assert set(kept) == {one.sha256 for one in (*make.service.profile.in_force, changed.profile.in_force[0])}
        for one in (*make.service.profile.agreements, changed.profile.agreements[0]):
            row = kept[one.current.sha256]
            assert digest_of(row.version, row.texts) == row.sha256, "what is kept is what was accepted"
        assert kept[make.service.profile.in_force[0].sha256].kept_at < clock.now()


def test_a_text_is_kept_even_if_nobody_loaded_the_profile(make: Make, app: Flask, changed: Service) -> None:
    aida, new = make.account(), changed.profile.in_force[0]
    accept(make, aida, new.sha256, changed)
    with app.app_context():
        mine = own_agreements(here_of(make, changed), aida.id, "en")
        newest = mine[0]
        assert (newest.name, newest.version, newest.in_force) == ("New", "3", True)
        former = next(one for one in mine if one.version == "2")
        assert (former.in_force, former.text is not None) == (False, True), "the old one can still be read"
        assert mine[0].address == "192.0.2.7"


def test_an_acceptance_from_before_texts_were_kept_is_shown_without_its_text(make: Make, app: Flask) -> None:
    aida = make.account(accepted=False)
    with app.app_context(), unit_of_work():
        db.session.add(Acceptance(account_id=aida.id, version="1", sha256="a" * 64, accepted_at=make.clock.now()))
    assert is_asked(make, aida)
    with app.app_context():
        [one] = own_agreements(here_of(make), aida.id, "ky")
        assert (one.version, one.name, one.text, one.in_force) == ("1", None, None, False)
        assert own_agreement(here_of(make), aida.id, "ky", "a" * 64) is None
