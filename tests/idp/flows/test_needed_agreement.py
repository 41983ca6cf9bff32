"""A system that needs an agreement follows when it is accepted (6.2, annex 2; off unless the profile says so)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.accept_agreement import accept_agreement
from idp.models import Account
from idp.oauth.standing import has_access
from tests.builders import Make
from tests.idp.hr import Hr

STAFF = {"unet", "moodle", "mail", "avn", "library", "antiplagiarism", "website", "e-kyzmat", "zoom"}


@pytest.fixture(autouse=True)
def _needed(app: Flask) -> Iterator[None]:
    """Infodocs only for those who accept electronic HR documents."""
    service = app.extensions["achkych"]
    needs = {"infodocs": "hr-documents"}
    systems = tuple(replace(one, needs_agreement=needs.get(one.code, "")) for one in service.profile.systems)
    app.extensions["achkych"] = replace(service, profile=replace(service.profile, systems=systems))
    yield
    app.extensions["achkych"] = service


def accept(make: Make, code: str) -> None:
    with make.app.app_context(), unit_of_work():
        account = db.session.scalars(sa.select(Account)).one()
        profile = make.service.profile
        (agreement,) = (one.current for one in profile.agreements if one.code == code)
        here = replace(make.here(), service=make.app.extensions["achkych"])
        assert accept_agreement(here, account, agreement.sha256) is None


def test_it_is_opened_when_the_agreement_is_accepted_and_not_before(hr: Hr, make: Make, clock: SetClock) -> None:
    hr.deliver("hire")
    assert hr.tasks().keys() == STAFF
    accept(make, "user")
    assert hr.tasks().keys() == STAFF
    clock.moment += timedelta(days=30)
    accept(make, "hr-documents")
    assert hr.tasks().keys() == STAFF | {"infodocs"}
    # there are three working days from then, whenever the hire was
    assert hr.tasks()["infodocs"].due_at > clock.now()
    with hr.looking():
        assert has_access(db.session.scalars(sa.select(Account.id)).one(), "infodocs")
