"""What workers do to each other and what is done to them: killed in the middle of their work, crowding at one person."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from idp.models import Account, AffiliationRow, Order, Person, Task
from tests.faults.figure import Figure, scaled
from tests.faults.ground import STAFF, Body, Ground, Grounds, eventually, without_mail
from tests.idp.provisioning.orders import hire, transfer

CONVERGED = 60.0  # seconds after the last kill
IN_A_CROWD = 100  # orders about one person


def killed(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """A worker is killed with -9 again and again while orders are carried out: nothing lost, nothing doubled."""
    orders, kills = scaled(2000, scale, 40), scaled(50, scale, 2)
    yield Figure(f"{orders} orders, {kills} kills")
    with grounds.ground() as ground, ThreadPoolExecutor(1) as desk:
        sending = desk.submit(ground.send, [without_mail(hire(number)) for number in range(1, orders + 1)])
        seconds = _killing(ground, orders, kills)
        sending.result()
        yield from _everybody_is_there(ground, orders)
        hit = ground.count(Task, Task.attempt > 1)
    yield Figure(f"kills that hit a task at work: {hit} tasks were begun again")
    yield Figure(f"converged {seconds:.1f} s after the last kill (at most {CONVERGED:.0f})", seconds <= CONVERGED)


def _killing(ground: Ground, orders: int, kills: int) -> float:
    """Kill at even steps of the work, a moment after each; seconds from the last kill until nothing is left to do."""
    chance = random.Random(7)
    with ground.workers() as running:
        for kill in range(1, kills + 1):
            aim = len(STAFF) * orders * kill // (kills + 1)
            eventually(lambda aim=aim: ground.count(Task, Task.status == "done") >= aim)  # type: ignore[misc]
            time.sleep(chance.random() / 4)
            running.pop().kill()
            last = time.monotonic()
            running.append(ground.worker())
        eventually(lambda: ground.count(Account) == orders)
        ground.settle()
        return time.monotonic() - last


def _everybody_is_there(ground: Ground, people: int) -> Iterator[Figure]:
    there = [len({user["idnumber"] for user in ground.targets[system].people}) for system in STAFF]
    lost = sum(people - one for one in there) + ground.astray(*STAFF)
    yield Figure(f"lost: {lost}", lost == 0)
    doubled = ground.doubled(*STAFF) + ground.count(Task) - len(STAFF) * people
    yield Figure(f"doubled: {doubled} (accounts at the targets, and tasks)", doubled == 0)


def crowd(grounds: Grounds, scale: float) -> Iterator[Figure]:
    """A hundred orders about one person at once, for many people: no deadlock, and the last by date counts."""
    people = scaled(100, scale, 2)
    yield Figure(f"{IN_A_CROWD} orders for each of {people} people, two workers")
    with grounds.ground() as ground, ground.workers(2):
        ground.send(without_mail(hire(number, **ground.days_ago(IN_A_CROWD + 1))) for number in range(1, people + 1))
        ground.settle()
        began, before = time.monotonic(), ground.deadlocks
        ground.send(_mixed(ground, people))
        ground.settle()
        yield Figure(f"settled in {time.monotonic() - began:.1f} s")
        time.sleep(1.5)  # PostgreSQL counts with some delay
        deadlocks = ground.deadlocks - before
        yield Figure(f"deadlocks: {deadlocks}", deadlocks == 0)
        yield from _last_counts(ground, people)


def _mixed(ground: Ground, people: int) -> list[Body]:
    orders = [_moved(ground, number, day) for number in range(1, people + 1) for day in range(1, IN_A_CROWD + 1)]
    random.Random(7).shuffle(orders)
    return orders


def _moved(ground: Ground, number: int, day: int) -> Body:
    """To and fro, a day each; the last of them leads to 0112."""
    body = transfer(number, place=99 + day, **ground.days_ago(IN_A_CROWD + 1 - day))
    body["persons"][0]["employment"]["departmentCode"] = "0407" if day % 2 else "0112"
    return body


def _last_counts(ground: Ground, people: int) -> Iterator[Figure]:
    lasting = (
        sa.select(Person.employee_no, AffiliationRow.department).join(Person).where(AffiliationRow.ends_on.is_(None))
    )
    departments = [row.department for row in ground.rows(lasting)]
    right = sum(user["department"] == "Кафедра образцов" for user in ground.targets["lms"].people)
    holds = departments == ["0112"] * people and right == people and not ground.astray(*STAFF)
    yield Figure(f"last by date wins: {departments.count('0112')} of {people}, {right} at the target", holds)
    troubled = ground.count(Order, (Order.failures > 0) | Order.state.not_in(["applied", "applying"]))
    yield Figure(f"orders that failed once or were not applied: {troubled}", troubled == 0)
