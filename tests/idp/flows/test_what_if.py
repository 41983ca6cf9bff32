"""What other rules would change is told before it happens, and happens when it is asked for (3.1, 3.7)."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from idp.db import unit_of_work
from idp.flows.what_if import Difference, follow_rules, what_if
from idp.models import AuditRecord, Link, Person, Task
from policies.profile import Profile
from tests.builders import Make
from tests.idp.hr import Hr, hire_of


@pytest.fixture
def hr(hr: Hr) -> Hr:
    """Two lecturers and a third of another department."""
    for number, department in ((1, "0407"), (2, "0407"), (3, "0112")):
        body = hire_of(number)
        body["persons"][0]["employment"]["departmentCode"] = department
        assert hr.send(body).status_code == 202
    hr.work()
    return hr


def changed(make: Make) -> Profile:
    """The library for one department only, and the plagiarism check for students only."""
    profile = make.service.profile
    told = {"library": {"departments": frozenset({"0112"})}, "antiplagiarism": {"audience": frozenset({"student"})}}
    systems = tuple(replace(one, **told.get(one.code, {})) for one in profile.systems)
    assert systems != profile.systems
    return replace(profile, systems=systems)


def differences(make: Make, other: Profile, limit: int = 100) -> list[Difference]:
    found: list[Difference] = []
    after = None
    while True:
        with make.app.app_context(), unit_of_work():
            page, after = what_if(make.here(), other, after, limit)
        found += page
        if after is None:
            return found


def links(hr: Hr, system: str) -> int:
    rows = hr.rows(sa.select(Link.id).where(Link.system == system, Link.active.is_(True)))
    return len(rows)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_who_would_gain_and_lose_is_told_and_nothing_changes(hr: Hr, make: Make, limit: int) -> None:
    before = {code: links(hr, code) for code in ("library", "antiplagiarism")}
    told = differences(make, changed(make), limit)
    assert [sorted(one.lost) for one in told] == [["antiplagiarism", "library"]] * 2 + [["antiplagiarism"]]
    assert not any(one.gained for one in told)
    assert {code: links(hr, code) for code in before} == before


def test_the_rules_in_force_change_nothing_and_the_other_way_round_is_a_gain(hr: Hr, make: Make) -> None:
    present, other = make.service.profile, changed(make)
    assert differences(make, present) == []
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=other)
    assert [sorted(one.gained) for one in differences(make, present)] == [["antiplagiarism", "library"]] * 2 + [
        ["antiplagiarism"]
    ]


def test_once_asked_for_everybody_is_brought_in_line(hr: Hr, make: Make) -> None:
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=changed(make))
    assert (links(hr, "library"), links(hr, "antiplagiarism")) == (3, 3)
    make.account("first-administrator")
    with make.app.app_context(), unit_of_work():
        assert follow_rules(make.here()) == 3, "whom no order named is left as they are"
    assert len(hr.rows(sa.select(Person.id).where(Person.review_at <= hr.clock.now()))) == 3
    hr.work()
    assert (links(hr, "library"), links(hr, "antiplagiarism")) == (1, 0)
    hr.work()
    assert len(hr.rows(sa.select(Task.id).where(Task.system == "library", Task.action == "close"))) == 2
    assert hr.rows(sa.select(AuditRecord.after).where(AuditRecord.act == "rules-followed")) == [({"people": 3},)]
