"""Looking through a system: planted differences are all found, nothing else is, and what follows is what the rules say
(3.6, 3.7; connector contract, rule 4)."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from connectors.base import OutcomeKind, Page, TargetError
from connectors.standins.moodle import MoodleStandin
from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import Forbidden
from idp.flows.here import Here, at_work
from idp.flows.refusal import Refusal
from idp.flows.scans import adopt, ask_for_scan, begin_nightly, begin_scan, findings_of, leave, mend
from idp.models import Account, AuditRecord, Finding, Link, Scan, Task
from idp.provisioning.runner import Runner
from idp.provisioning.scan import scan_target
from idp.provisioning.workshop import Workshop
from policies.permissions import Appointment, Who
from policies.reconciliation import Found, ReconciliationRules
from tests.idp.provisioning.orders import Desk, dismissal, hire
from tests.idp.provisioning.test_failing_targets import Through


class Few(Through):
    """Tells of three accounts in a page."""

    def scan(self, cursor: str | None, limit: int) -> Page:
        return self.inner.scan(cursor, 3)

    def end_sessions(self, remote_id: str) -> None:
        self.inner.end_sessions(remote_id)


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    return replace(workshop, targets={"moodle": Few(workshop.targets["moodle"])})


def hired(desk: Desk, runner: Runner, clock: SetClock, numbers: Iterable[int]) -> list[int]:
    """They are in Moodle, and some time has passed."""
    told = list(numbers)
    for one in told:
        desk.receive(hire(one))
    runner.run_until_idle()
    clock.advance(minutes=1)
    return told


def look(desk: Desk, runner: Runner, clock: SetClock) -> Scan:
    """A whole scan."""
    with desk.app.app_context(), unit_of_work():
        assert begin_scan(at_work(desk.service, "test"), "moodle")
    runner.run_until_idle()
    clock.advance(seconds=1)
    scan: Scan = desk.all(sa.select(Scan).order_by(Scan.started_at))[-1]
    return scan


def found(desk: Desk, scan: Scan, settled: bool = False) -> list[tuple[str, str | None]]:
    """Kind and login of each finding."""
    which = Finding.settled_at.is_not(None) if settled else Finding.settled_at.is_(None)
    rows = desk.all(sa.select(Finding).where(Finding.scan_id == scan.id, which))
    people = {str(row.id): row.login for row in desk.all(sa.select(Account))}
    return sorted((row.kind, people.get(str(row.account_id)) or row.details.get("login")) for row in rows)


def ours(findings: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    return [one for one in findings if one[1] not in ("admin", "svc-provision", "guest")]


def user(moodle: MoodleStandin, desk: Desk, number: int) -> dict[str, Any]:
    return moodle.site.users[int(desk.link(number, "moodle").remote_id)]


def admin(desk: Desk) -> Here:
    who = Who("somebody", (Appointment("admin", None, None, desk.service.clock.now(), None),))
    return replace(at_work(desk.service, "account/asel"), who=who)


def decide(desk: Desk, what: Any, kind: Found, *more: Any) -> Refusal | None:
    """An administrator decides about the one finding of this kind that is open."""
    with desk.app.app_context(), unit_of_work():
        open_ones = sa.select(Finding).where(Finding.kind == kind.value, Finding.settled_at.is_(None))
        newest = db.session.scalars(open_ones.order_by(Finding.id.desc()).limit(1)).one()
        outcome: Refusal | None = what(admin(desk), newest, *more)
        return outcome


def rules(workshop: Workshop, **changes: Any) -> None:
    """The institution's, changed."""
    profile = workshop.service.profile
    changed = replace(profile.rules, reconciliation=ReconciliationRules(**changes))
    service = replace(workshop.service, profile=replace(profile, rules=changed))
    workshop.app.extensions["achkych"] = service
    object.__setattr__(workshop, "service", service)


def test_a_system_that_is_as_orders_say_has_nothing_wrong(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    hired(desk, runner, clock, range(number * 100, number * 100 + 7))
    scan = look(desk, runner, clock)
    assert (scan.state, scan.pages > 2) == ("done", True)
    assert ours(found(desk, scan)) == []


def test_every_planted_difference_is_found_and_none_is_mended_unasked(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    first = number * 100
    people = hired(desk, runner, clock, range(first, first + 8))
    desk.receive(dismissal(people[0]))
    runner.run_until_idle()
    clock.advance(minutes=1)
    logins = {one: desk.account(one).login for one in people}
    user(moodle, desk, people[0])["suspended"] = 0
    user(moodle, desk, people[1])["firstname"] = "Somebody"
    user(moodle, desk, people[2])["suspended"] = 1
    del moodle.site.users[int(desk.link(people[3], "moodle").remote_id)]
    moodle.site.users[900] = user(moodle, desk, people[4]) | {"id": 900, "username": "twin", "email": "t@example.org"}
    moodle.site.users[901] = user(moodle, desk, people[4]) | {
        "id": 901, "username": "nobodys", "email": "n@example.org", "idnumber": "",
    }  # fmt: skip
    before = desk.all(sa.select(Task.id))
    scan = look(desk, runner, clock)
    assert ours(found(desk, scan)) == sorted(
        [("open", logins[people[0]]), ("differing", logins[people[1]]), ("differing", logins[people[2]]),
         ("missing", logins[people[3]]), ("twin", "twin"), ("extra", "nobodys")]
    )  # fmt: skip
    assert desk.all(sa.select(Task.id)) == before


def test_an_administrator_has_it_mended_and_the_next_scan_finds_nothing(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    first = number * 100
    people = hired(desk, runner, clock, range(first, first + 3))
    user(moodle, desk, people[0])["firstname"] = "Somebody"
    del moodle.site.users[int(desk.link(people[2], "moodle").remote_id)]
    look(desk, runner, clock)
    assert decide(desk, mend, Found.DIFFERING) is None
    assert decide(desk, mend, Found.MISSING) is None
    runner.run_until_idle()
    clock.advance(minutes=1)
    assert user(moodle, desk, people[0])["firstname"] != "Somebody"
    assert desk.task(people[2], "moodle").status == "done"
    assert ours(found(desk, look(desk, runner, clock))) == []
    acts = Counter(desk.all(sa.select(AuditRecord.act)))
    assert (acts["scan-begun"], acts["scan-ended"], acts["finding-settled"]) == (2, 2, 2)


def test_what_the_profile_names_is_mended_unasked_as_long_as_it_is_little(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    first = number * 100
    people = hired(desk, runner, clock, range(first, first + 6))
    rules(workshop, repair=frozenset({Found.DIFFERING}), at_once=2)
    for one in people[:3]:
        user(moodle, desk, one)["firstname"] = "Somebody"
    scan = look(desk, runner, clock)
    assert Counter(kind for kind, _ in ours(found(desk, scan))) == {"differing": 3}
    user(moodle, desk, people[0])["firstname"] = user(moodle, desk, people[5])["firstname"]
    user(moodle, desk, people[5])["suspended"] = 1
    user(moodle, desk, people[1])["firstname"] = user(moodle, desk, people[4])["firstname"]
    scan = look(desk, runner, clock)
    assert ours(found(desk, scan)) == []
    assert Counter(kind for kind, _ in found(desk, scan, settled=True)) == {"differing": 2}
    assert user(moodle, desk, people[5])["suspended"] == 0


def test_what_changes_meanwhile_is_not_taken_for_wrong(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    [one] = hired(desk, runner, clock, [number * 100])
    moodle.faults = [500] * 9
    desk.receive(dismissal(one))
    runner.run_until_idle()
    assert desk.task(one, "moodle").status == "waiting"
    moodle.faults = []
    assert ours(found(desk, look(desk, runner, clock))) == []


def test_a_scan_of_far_fewer_accounts_is_no_ground_for_anything(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    first = number * 100
    people = hired(desk, runner, clock, range(first, first + 8))
    assert look(desk, runner, clock).state == "done"
    kept = dict(moodle.site.users)
    for one in people:
        del moodle.site.users[int(desk.link(one, "moodle").remote_id)]
    scan = look(desk, runner, clock)
    assert (scan.state, scan.accounts) == ("shrunk", scan.accounts)
    assert ours(found(desk, scan)) == []
    moodle.site.users.update(kept)
    assert look(desk, runner, clock).state == "done"


def test_a_killed_worker_s_page_is_asked_for_again_and_nothing_is_told_twice(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    first = number * 100
    people = hired(desk, runner, clock, range(first, first + 7))
    for one in people:
        user(moodle, desk, one)["firstname"] = "Somebody"

    class Dies(Few):
        pages = 0

        def scan(self, cursor: str | None, limit: int) -> Page:
            self.pages += 1
            if self.pages == 3:
                raise KeyboardInterrupt
            return super().scan(cursor, limit)

    with desk.app.app_context(), unit_of_work():
        begin_scan(at_work(desk.service, "test"), "moodle")
    scan_id: UUID = desk.one(sa.select(Scan.id))
    mortal = replace(workshop, targets={"moodle": Dies(workshop.targets["moodle"])})
    with desk.app.app_context(), pytest.raises(KeyboardInterrupt):
        scan_target(mortal, scan_id)
    half = desk.one(sa.select(Scan))
    assert (half.state, half.pages) == ("running", 2)
    with desk.app.app_context():
        scan_target(workshop, scan_id)
    assert desk.one(sa.select(Scan)).pages == 2, "the lease of the dead one still runs"
    clock.advance(seconds=workshop.lease.total_seconds() + 1)
    runner.run_until_idle()
    scan = desk.one(sa.select(Scan))
    assert scan.state == "done"
    assert Counter(ours(found(desk, scan))) == {("differing", desk.account(one).login): 1 for one in people}


def test_a_system_that_fails_is_asked_again_and_given_up_in_the_end(
    desk: Desk, workshop: Workshop, clock: SetClock, number: int
) -> None:
    class Broken(Through):
        def scan(self, cursor: str | None, limit: int) -> Page:
            raise TargetError(OutcomeKind.RETRYABLE, "down")

    broken = replace(workshop, targets={"moodle": Broken(workshop.targets["moodle"])})
    with desk.app.app_context(), unit_of_work():
        begin_scan(at_work(desk.service, "test"), "moodle")
    for _ in range(8):
        with desk.app.app_context():
            scan_target(broken, desk.one(sa.select(Scan.id)))
        clock.advance(hours=2)
    scan = desk.one(sa.select(Scan))
    assert (scan.state, scan.failures, scan.last_error) == ("failed", 8, "retryable: down")
    assert desk.all(sa.select(Finding)) == []


def test_what_somebody_let_be_is_not_told_of_again_until_it_changes(
    desk: Desk, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    [one] = hired(desk, runner, clock, [number * 100])
    user(moodle, desk, one)["firstname"] = "Somebody"
    look(desk, runner, clock)
    assert decide(desk, leave, Found.DIFFERING, " ") == Refusal("leave-reason-required")
    assert decide(desk, leave, Found.DIFFERING, "a stage name") is None
    assert ours(found(desk, look(desk, runner, clock))) == []
    user(moodle, desk, one)["lastname"] = "Else"
    assert len(ours(found(desk, look(desk, runner, clock)))) == 1


def test_an_account_with_the_address_of_ours_is_proposed_and_adopted_by_a_person_only(
    desk: Desk, workshop: Workshop, runner: Runner, clock: SetClock, moodle: MoodleStandin, number: int
) -> None:
    person = number * 100
    email = desk_email(desk, workshop, person, clock)
    moodle.site.users[800] = {**moodle.site.users[2], "id": 800, "username": "old", "email": email, "idnumber": ""}
    for _ in range(2):  # a conflict is looked at once more: it may have been our own earlier try
        runner.run_until_idle()
        clock.advance(minutes=1)
    assert desk.task(person, "moodle").status == "failed", "the address is taken: never adopted by itself"
    scan = look(desk, runner, clock)
    assert ("extra", "old") in found(desk, scan)
    assert decide(desk, mend, Found.EXTRA) == Refusal("not-mendable")
    login = desk.account(person).login
    with desk.app.app_context(), unit_of_work():
        [row] = db.session.scalars(sa.select(Finding).where(Finding.details["email"].as_string() == email))
        assert row.details["proposed"] == login
        assert adopt(admin(desk), row) is None
        assert adopt(admin(desk), row) == Refusal("not-adoptable")
    assert desk.link(person, "moodle").remote_id == "800"


def desk_email(desk: Desk, workshop: Workshop, person: int, clock: SetClock) -> str:
    """The order is applied, and nothing of it has reached the systems."""
    desk.receive(hire(person))
    Runner(replace(workshop, targets={})).run_until_idle()
    clock.advance(minutes=6)
    return str(desk.account(person).email)


def test_of_many_who_ask_at_once_one_scan_begins(desk: Desk) -> None:
    def ask(_: int) -> bool:
        with desk.app.app_context(), unit_of_work():
            return begin_scan(at_work(desk.service, "test"), "moodle")

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, range(8))) == [False] * 7 + [True]


def test_every_night_each_system_once(desk: Desk, clock: SetClock) -> None:
    def nightly() -> list[str]:
        with desk.app.app_context(), unit_of_work():
            begin_nightly(at_work(desk.service, "worker"), ["moodle", "mail"])
        return sorted(desk.all(sa.select(Scan.system)))

    clock.moment = clock.moment.replace(hour=19)  # 1 o'clock in Bishkek
    assert nightly() == []
    clock.advance(hours=1)
    assert nightly() == ["mail", "moodle"]
    clock.advance(hours=3)
    assert nightly() == ["mail", "moodle"]


def test_only_administrators_ask_and_decide(desk: Desk) -> None:
    here = replace(admin(desk), who=Who("x", (Appointment("officer", None, None, desk.service.clock.now(), None),)))
    with desk.app.app_context():
        with pytest.raises(Forbidden):
            ask_for_scan(here, "moodle")
        with pytest.raises(Forbidden):
            findings_of(here, "moodle")
        assert ask_for_scan(admin(desk), "avn") == Refusal("scan-by-hand")
        db.session.remove()


def test_a_link_that_carries_our_id_and_no_remote_one_is_known(desk: Desk, runner: Runner, clock: SetClock,
                                                               number: int) -> None:  # fmt: skip
    [one] = hired(desk, runner, clock, [number * 100])
    desk.change(
        lambda: db.session.execute(sa.update(Link).where(Link.system == "moodle").values(remote_id=None)) and None
    )
    assert ours(found(desk, look(desk, runner, clock))) == []
    assert desk.task(one, "moodle").status == "done"
