"""What targets do to the engine: one is down for a day, one errs all the time, one was changed behind our back."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from idp.db import unit_of_work
from idp.flows.here import at_work
from idp.flows.scans import begin_scan
from idp.models import Circuit, Finding, Link, Order, Scan, Task
from idp.provisioning.queue import SWEEPING
from tests.faults.figure import Figure, scaled
from tests.faults.ground import STAFF, Body, Ground, Grounds, eventually, without_mail
from tests.faults.target import Dice, User
from tests.idp.provisioning.orders import hire, transfer

HOURS, CHANGES = 24, 10  # of a day; of one person in it
LAG = 60.0  # seconds that other targets may be behind
HANG, GARBAGE = "hang", "garbage"
ODDS: dict[int | str, float] = {HANG: 0.10, 500: 0.10, GARBAGE: 0.05}
REPAIR = '\n[rules.reconciliation]\nrepair = ["missing"]\nat_once = 1000\n'
NEWEST = "Кафедра образцов"


def down(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """One target is down for a day full of changes: the newest state wins there, and the others do not wait for it."""
    people = scaled(5000 // CHANGES, scale, 5)
    yield Figure(f"{people * CHANGES} changes of {people} people within {HOURS} hours, lms down meanwhile")
    with grounds.ground() as ground, ground.workers():
        _hired(ground, people)
        began, lms = ground.clock.now(), ground.targets["lms"]
        lms.go_down()
        _a_day_of_changes(ground, people)
        lag = _lag(ground, began)
        yield Figure(f"lag of the other target: {lag:.1f} s at most (at most {LAG:.0f})", lag <= LAG)
        lms.calls.clear()
        lms.come_up()
        ground.pass_time(hours=1)  # so long a system is left alone at most
        yield Figure(f"drained in {ground.settle():.1f} s once it was tried again")
        newest = sum(user["department"] == NEWEST for user in lms.people)
        yield Figure(f"newest state there: {newest} of {people}", newest == people and not ground.astray(*STAFF))
        writes = lms.calls.count("core_user_update_users")
        yield Figure(
            f"writes there for {people * CHANGES} changes: {writes}, no older state before it", writes == people
        )
        yield _doubled(ground)


def _hired(ground: Ground, people: int) -> None:
    ground.send(without_mail(hire(number, **ground.days_ago(CHANGES + 9))) for number in range(1, people + 1))
    ground.settle()


def _a_day_of_changes(ground: Ground, people: int) -> None:
    orders = [_change(ground, number, turn) for turn in range(1, CHANGES + 1) for number in range(1, people + 1)]
    size = -(-len(orders) // HOURS)
    for first in range(0, len(orders), size):
        ground.send(orders[first : first + size])
        eventually(lambda: not _busy(ground, "library"))
        ground.pass_time(hours=HOURS * size / len(orders))


def _change(ground: Ground, number: int, turn: int) -> Body:
    """To and fro; the last leads to 0112."""
    body = transfer(number, place=100 + turn, **ground.days_ago(CHANGES + 1 - turn))
    body["persons"][0]["employment"]["departmentCode"] = "0407" if turn % 2 else "0112"
    return body


def _busy(ground: Ground, system: str) -> bool:
    due = sa.exists().where(Order.run_at <= ground.clock.now())
    waiting = sa.exists().where(Task.status == "waiting", Task.system == system)
    return bool(ground.ask(sa.select(due | waiting)))


def _lag(ground: Ground, since: datetime) -> float:
    """Seconds between an order's coming in and the last read-back of its task elsewhere, at most."""
    columns = sa.select(Order.received_at, Task.done_at).join(Task, Task.order_pk == Order.id)
    rows = ground.rows(columns.where(Task.system == "library", Order.received_at >= since, Task.status == "done"))
    lags: list[float] = [(row.done_at - row.received_at).total_seconds() for row in rows]
    return max(lags)


def flaky(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """Of all calls 10 % are done but never answered, 10 % answered by 500, 5 % by garbage: all ends as it should."""
    people = scaled(1000, scale, 20)
    yield Figure(f"{2 * people} orders about {people} people, at both targets")
    with grounds.ground() as ground, ground.workers():
        dice = [Dice(ODDS, seed) for seed, _ in enumerate(STAFF)]
        for system, die in zip(STAFF, dice, strict=True):
            ground.targets[system].faults = die
        began, moved = time.monotonic(), 0
        ground.send(without_mail(hire(number, **ground.days_ago(CHANGES + 9))) for number in range(1, people + 1))
        moved += _through_rests(ground)
        ground.send(_change(ground, number, CHANGES) for number in range(1, people + 1))
        moved += _through_rests(ground)
        yield Figure(f"settled in {time.monotonic() - began:.0f} s, and {moved} simulated hours of rest")
        thrown = sum((die.thrown for die in dice), Counter[int | str | None]())
        yield Figure(f"calls: {thrown.total()}; of them {_faults(thrown)}")
        at_end = [sum(user["department"] == NEWEST for user in ground.targets[system].people) for system in STAFF]
        share = 100 * min(at_end) / people
        yield Figure(f"end state: {share:.1f} %", at_end == [people] * len(STAFF) and not ground.astray(*STAFF))
        failed = ground.count(Task, Task.status == "failed")
        yield Figure(f"tasks given up: {failed}", failed == 0)
        yield _doubled(ground)


def _through_rests(ground: Ground) -> int:
    """Let an hour pass whenever all that is left rests; how many hours did."""
    hours = 0
    while ground.unsettled:
        if not _at_work(ground):
            ground.pass_time(hours=1)
            hours += 1
        time.sleep(SWEEPING + 1)
    return hours


def _at_work(ground: Ground) -> bool:
    now = ground.clock.now()
    rests = sa.exists().where(Circuit.system == Task.system, Circuit.retry_at > now)
    tasks = sa.exists().where(Task.status == "waiting", Task.run_at <= now, ~rests)
    return bool(ground.ask(sa.select(tasks | sa.exists().where(Order.run_at <= now))))


def _faults(thrown: Counter[int | str | None]) -> str:
    return f"{thrown[HANG]} done but not answered, {thrown[500]} refused by 500, {thrown[GARBAGE]} garbage"


def _doubled(ground: Ground) -> Figure:
    doubled = ground.doubled(*STAFF)
    return Figure(f"doubled: {doubled}", doubled == 0)


def drifts(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """A target was changed behind our back: a scan finds every change, and only what may be mended unasked is."""
    planted = scaled(500, scale, 12)
    with grounds.ground(REPAIR) as ground, ground.workers():
        _hired(ground, 4 * planted)
        ground.pass_time(minutes=1)
        known = {(one.kind, one.remote_id) for one in _scan(ground)}  # the site's own accounts are nobody's
        yield Figure(
            f"{planted} changes of {len(KINDS)} kinds among {4 * planted} accounts; missing ones may be mended"
        )
        wanted = _plant(ground, planted)
        ground.pass_time(minutes=1)
        before = ground.targets["lms"].snapshot
        began = time.monotonic()
        found = Counter((one.kind, one.remote_id or str(one.account_id)) for one in _scan(ground))
        yield Figure(f"looked through in {time.monotonic() - began:.1f} s")
        right = found.keys() & wanted.keys()
        others = found.keys() - wanted.keys() - known
        yield Figure(f"found: {len(right)} of {planted}, others: {len(others)}", len(right) == planted and not others)
        ground.settle()
        yield from _mended(ground, before, Counter(kind for kind, _ in wanted)["missing"])


def _scan(ground: Ground) -> list[Finding]:
    """What one whole scan of lms finds."""
    with ground.desk.app.app_context(), unit_of_work():
        assert begin_scan(at_work(ground.desk.service, "faults"), "lms")
    eventually(lambda: not ground.count(Scan, Scan.finished_at.is_(None)))
    scan = ground.desk.all(sa.select(Scan).where(Scan.system == "lms").order_by(Scan.started_at))[-1]
    assert scan.state == "done", scan.last_error
    return ground.desk.all(sa.select(Finding).where(Finding.scan_id == scan.id))


def _plant(ground: Ground, planted: int) -> dict[tuple[str, str], UUID]:
    """Change so many accounts, each kind in turn: what a scan must say, and whose account it is about."""
    links = ground.rows(
        sa.select(Link.remote_id, Link.account_id).where(Link.system == "lms").order_by(Link.account_id)
    )
    wanted = {}
    for turn, link in enumerate(links[:planted]):
        kind, change = KINDS[turn % len(KINDS)]
        users = ground.targets["lms"].site.users
        key = change(users, users[int(link.remote_id)], 1_000_000 + turn)
        wanted[kind, key or str(link.account_id)] = link.account_id
    return wanted


def _renamed(_users: dict[int, User], user: User, _number: int) -> str:
    user["lastname"] = "Somebody"
    return str(user["id"])


def _suspended(_users: dict[int, User], user: User, _number: int) -> str:
    user["suspended"] = True
    return str(user["id"])


def _removed(users: dict[int, User], user: User, _number: int) -> str:
    """Known by our account: there is nothing there to name."""
    del users[user["id"]]
    return ""


def _copied(users: dict[int, User], user: User, number: int) -> str:
    users[number] = user | {"id": number, "username": f"twin{number}", "email": f"twin{number}@example.org"}
    return str(number)


def _stranger(users: dict[int, User], user: User, number: int) -> str:
    _copied(users, user, number)
    users[number]["idnumber"] = ""
    return str(number)


KINDS = (
    ("differing", _renamed),
    ("differing", _suspended),
    ("missing", _removed),
    ("twin", _copied),
    ("extra", _stranger),
)


def _mended(ground: Ground, before: dict[int, str], missing: int) -> Iterator[Figure]:
    """Only the missing ones came back, and of the others none was touched."""
    lms = ground.targets["lms"]
    after = lms.snapshot
    touched = sum(after.get(number) != user for number, user in before.items())
    yield Figure(f"changed though nobody may: {touched}", touched == 0)
    back = [after[number] for number in after.keys() - before.keys()]
    yield Figure(f"missing ones mended: {len(back)} of {missing}", len(back) == missing)
