"""What orders do to the engine: they come again and out of order, close a thousand accounts, take in everybody at once."""

import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from idp.crypto import new_token
from idp.db import db, unit_of_work
from idp.flows.here import at_work
from idp.flows.hold_order import release_order
from idp.models import Account, Client, Grant, Order, Person, Session, Task
from policies.permissions import Appointment, Who
from tests.bench.report import percentile
from tests.builders import Make
from tests.faults.figure import Figure, scaled
from tests.faults.ground import STAFF, STUDENTS, Body, Ground, Grounds, eventually, without_mail
from tests.faults.sign_ins import signing_in
from tests.idp.oauth.driver import Party
from tests.idp.provisioning.engine import WorkerProcess
from tests.idp.provisioning.orders import dismissal, hire, letters, rename, transfer

TIMES, SEEDS = 3, 10  # each order is delivered; different orders of deliveries
LINES = 500  # of one order, at most
SHUT, READ_BACK = 5.0, 60.0  # seconds from the release
GROUP = 50  # students of one enrolment
GROWTH = 1.10  # of a worker's memory from the middle third of its work to the last
SAMPLES = 30  # of a worker's memory, that something may be said of it

End = dict[str, tuple[Any, ...]]


def shuffled(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """Every order is delivered three times in shuffled order, and again in another: always the same in the end."""
    people, seeds = scaled(100, scale, 6), scaled(SEEDS, scale, 2)
    ends = []
    for seed in range(seeds + 1):
        with grounds.ground() as ground:
            orders = [order for number in range(1, people + 1) for order in _life(ground, number)]
            ends.append(_delivered(ground, orders, random.Random(seed) if seed else None))
            astray, doubled = ground.astray(*STAFF), ground.doubled(*STAFF)
        if not seed:
            yield Figure(
                f"{len(orders)} orders about {people} people, once in order, then {TIMES} times in {seeds} orders"
            )
        alike = sum(ends[0].get(person) == end for person, end in ends[-1].items())
        holds = ends[-1] == ends[0] and not astray and not doubled
        yield Figure(f"seed {seed or 'none'}: {alike} of {people} alike, {astray} astray, {doubled} doubled", holds)


def _life(ground: Ground, number: int) -> list[Body]:
    """The orders about one person; one is corrected by a second version, and every third person leaves."""
    moved = transfer(number, **ground.days_ago(20))
    orders = [hire(number, **ground.days_ago(30)), moved, transfer(number, version=2, **ground.days_ago(19))]
    orders += [rename(number, "Анара", **ground.days_ago(10))]
    if number % 3 == 0:
        orders.append(dismissal(number, **ground.days_ago(5)))
    return [without_mail(order) for order in orders]


def _delivered(ground: Ground, orders: list[Body], chance: random.Random | None) -> End:
    """One after another in order, or all of them, shuffled, by several senders at once."""
    with ground.workers():
        if chance is None:
            for order in orders:
                ground.desk.receive(order)
                ground.settle()
        else:
            deliveries = orders * TIMES
            chance.shuffle(deliveries)
            ground.send(deliveries)
        ground.settle()
        ground.pass_time(minutes=2)  # an order that found nobody is looked at again by then
        ground.settle()
    return _end(ground)


def _end(ground: Ground) -> End:
    """Each person's account, and what there is of it at the targets: of a closed one that it is closed, no more."""
    rows = ground.rows(sa.select(Person.employee_no, Account.login, Account.id, Account.closes_at).join(Account))
    users = {(s, user["idnumber"]): user for s in STAFF for user in ground.targets[s].people if not user["suspended"]}
    told = ("username", "email", "firstname", "lastname", "department")
    return {
        row.employee_no: (
            row.login,
            row.closes_at is None,
            *(users.get((system, str(row.id)), {}).get(name) for system in STAFF for name in told),
        )
        for row in rows
    }


def dismissals(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """A thousand people are dismissed: the orders wait for a second person, and then all is shut at once."""
    people = scaled(1000, scale, 50)
    with grounds.ground() as ground, ground.workers():
        ground.send(without_mail(hire(number, **ground.days_ago(30))) for number in range(1, people + 1))
        ground.settle()
        _give_sessions(ground)
        orders = ground.send(_all_dismissed(ground, people))
        eventually(lambda: ground.count(Order, Order.held) == len(orders))
        ground.settle()
        closed = _shut(ground)
        yield Figure(f"{people} dismissals in {len(orders)} orders; before the release closed: {closed}", closed == 0)
        began = time.monotonic()
        for order in orders:
            _release(ground, order)
        eventually(lambda: _shut(ground) == people)
        shut = time.monotonic() - began
        yield Figure(f"sessions and grants dead {shut:.1f} s after the release (at most {SHUT:.0f})", shut <= SHUT)
        ground.settle()
        seconds = time.monotonic() - began
        closed_there = [sum(user["suspended"] for user in ground.targets[system].people) for system in STAFF]
        yield Figure(f"closed at the targets, and read back: {closed_there}", closed_there == [people] * len(STAFF))
        yield Figure(f"read back {seconds:.1f} s after the release (at most {READ_BACK:.0f})", seconds <= READ_BACK)


def _all_dismissed(ground: Ground, people: int) -> list[Body]:
    """Orders of as many lines as one may have."""
    orders = []
    for first in range(1, people + 1, LINES):
        numbers = range(first, min(first + LINES, people + 1))
        lines = [{"line": str(number), "ids": {"employeeNo": f"E-{number}"}} for number in numbers]
        orders.append(dismissal(first, **ground.days_ago(0)) | {"persons": lines})
    return orders


def _give_sessions(ground: Ground) -> None:
    """Everybody has signed in, and a client holds tokens of theirs."""
    client_id = Party(ground.desk.app, Make(ground.desk.app)).client().client_id
    ground.desk.change(lambda: _sessions(ground, client_id))


def _sessions(ground: Ground, client_id: str) -> None:
    now = ground.clock.now()
    client = db.session.scalars(sa.select(Client.id).where(Client.client_id == client_id)).one()
    for account in db.session.scalars(sa.select(Account.id)).all():
        session = Session(account_id=account, token_digest=new_token(), started_at=now, authenticated_at=now,
                          amr=["pwd"], last_seen_at=now, agent="")  # fmt: skip
        db.session.add(session)
        db.session.flush()
        db.session.add(
            Grant(account_id=account, client_id=client, session_id=session.id, scope="openid", granted_at=now)
        )


def _shut(ground: Ground) -> int:
    """Accounts that are closed, with no session and no grant left."""
    sessions = sa.exists().where(Session.account_id == Account.id, Session.ended_at.is_(None))
    grants = sa.exists().where(Grant.account_id == Account.id, Grant.revoked_at.is_(None))
    return ground.count(Account, Account.closed_at.is_not(None), ~sessions, ~grants)


def _release(ground: Ground, order: UUID) -> None:
    """By an administrator, through the flow."""
    with ground.desk.app.app_context(), unit_of_work():
        here = at_work(ground.desk.service, "account/somebody")
        appointment = Appointment("admin", None, None, here.now, None)
        refusal = release_order(
            replace(here, who=Who("somebody", (appointment,))), db.session.get_one(Order, order), "looked at"
        )
        assert refusal is None, refusal


def intake(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """All new students at once, four targets, a kill in the middle, and people who sign in meanwhile."""
    students = scaled(20_000, scale, 100)
    groups = [range(first, min(first + GROUP, students + 1)) for first in range(1, students + 1, GROUP)]
    yield Figure(f"{students} students in {len(groups)} orders, {len(STUDENTS)} targets, a kill after a third")
    with grounds.ground() as ground, signing_in(ground, sys.executable) as tally, ThreadPoolExecutor(2) as others:
        others_before = ground.count(Account)
        began = time.monotonic()
        sending = others.submit(ground.send, [_enrolment(ground, numbers) for numbers in groups])
        sizes = _taken_in(ground, students, others_before, others)
        seconds = time.monotonic() - began
        sending.result()
        yield Figure(f"{seconds:.0f} s: {len(groups) / seconds:.2f} orders/s, {students / seconds:.1f} students/s")
        there = [len({user["idnumber"] for user in ground.targets[system].people}) for system in STUDENTS]
        lost = sum(students - one for one in there) + ground.astray(*STUDENTS)
        doubled = ground.doubled(*STUDENTS)
        yield Figure(f"after the kill: {lost} lost, {doubled} doubled", not lost and not doubled)
    yield _memory(sizes)
    p50, p95 = (1000 * percentile(tally.latencies, share) for share in (0.50, 0.95))
    told = f"{len(tally.latencies)} sign-ins meanwhile: p50 {p50:.0f} ms, p95 {p95:.0f} ms, wrong {len(tally.wrong)}"
    yield Figure(f"{told} {tally.wrong[:1] or ''}", bool(tally.latencies) and not tally.wrong)


def _enrolment(ground: Ground, numbers: range) -> Body:
    study = {"facultyCode": "FIT", "programCode": "710100", "groupCode": "ПОКС-1-26", "year": 1, "form": "full_time"}
    lines = [
        {
            "line": str(number),
            "ids": {"pin": f"{number:014}"},
            "name": {"family": "Үлгү", "given": "Азат", "latin": {"family": f"Ul{letters(number)}", "given": "Azat"}},
            "study": study | {"basis": "budget"},
        }
        for number in numbers
    ]
    order = hire(numbers[0], **ground.days_ago(1))
    return order | {"kind": "student_enrolment", "persons": lines}


def _taken_in(ground: Ground, students: int, others_before: int, aside: ThreadPoolExecutor) -> list[int]:
    """Until all are read back everywhere; KiB of the worker that did the last two thirds, a second apart."""
    tasks = len(STUDENTS) * students
    with ground.workers() as running:
        eventually(lambda: ground.count(Task, Task.status == "done") >= tasks // 3)
        running.pop().kill()
        running.append(ground.worker())
        over = Event()
        sampling = aside.submit(_sampled, running[0], over)
        try:
            eventually(lambda: ground.count(Account) == others_before + students)
            ground.settle()
        finally:
            over.set()
        return sampling.result()


def _sampled(worker: WorkerProcess, over: Event) -> list[int]:
    sizes = []
    while not over.wait(1.0):
        lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
        sizes.append(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")))
    return sizes


def _memory(sizes: list[int]) -> Figure:
    third = len(sizes) // 3
    middle, last = max(sizes[third : 2 * third], default=0), max(sizes[2 * third :], default=0)
    told = f"worker's memory (RSS): {middle / 1024:.0f} MiB at most in the middle, {last / 1024:.0f} MiB at the end"
    return Figure(f"{told}, {len(sizes)} samples", len(sizes) < SAMPLES or last <= GROWTH * middle)
