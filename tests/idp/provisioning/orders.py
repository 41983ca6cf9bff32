"""Orders about people who are numbered, given to the service through its own flow; and what has become of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from connectors.base import Correlation
from idp.db import db, unit_of_work
from idp.flows.here import at_work
from idp.flows.receive_order import receive_order
from idp.models import Account, Link, Message, Order, Person, Task
from idp.service import Service

CONNECTED = ("unet", "moodle", "mail")


def letters(number: int) -> str:
    """A name of its own for each number."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")


def hire(number: int, **more: Any) -> dict[str, Any]:
    """The hire of somebody new, who reads mail at n<number>@example.org."""
    name = {"family": "Үлгү", "given": "Айда", "latin": {"family": f"Ul{letters(number)}", "given": "Aida"}}
    contacts = {"personalEmail": f"n{number}@example.org", "workPhone": "+996312000000"}
    employment = {"departmentCode": "0407", "positionTitle": "Окутуучу", "rate": 1.0, "type": "main"}
    access = {"programs": ["moodle.teacher", "unet.employee"], "reportSections": ["kpi.department"]}
    return _order("hire", number, more, name=name, contacts=contacts, employment=employment, access=access)


def transfer(number: int, **more: Any) -> dict[str, Any]:
    employment = {"departmentCode": "0112", "positionTitle": "Доцент", "rate": 1.0, "type": "main"}
    return _order("transfer", number, more, employment=employment, access={"programs": ["moodle.teacher"]})


def dismissal(number: int, **more: Any) -> dict[str, Any]:
    return _order("dismissal", number, {"immediate": True, "effectiveOn": "2026-09-09"} | more)


def rename(number: int, given: str, **more: Any) -> dict[str, Any]:
    name = {"family": "Үлгү", "given": given}
    return _order("rename", number, more, name=name, previousName={"family": "Үлгү"})


_KINDS = {"hire": 1, "transfer": 2, "dismissal": 3, "rename": 4}


def _order(kind: str, number: int, more: dict[str, Any], **person: Any) -> dict[str, Any]:
    place = more.pop("place", _KINDS[kind])  # another number of the same kind about the same person
    ids = {"employeeNo": f"E-{number}"}
    return {
        "schema": "urn:kstu:hr:order:1",
        "orderId": f"00000000-0000-4000-8{place:03}-{number:012}",
        "version": 1,
        "status": "approved",
        "kind": kind,
        "number": f"{place}/{number}-К",
        "approvedOn": "2026-09-08",
        "effectiveOn": "2026-09-09",
        "signatory": {"fullName": "Sample Rector"},
        "source": {"system": "shnet"},
        "persons": [{"line": "1", "ids": ids} | person],
    } | more


class Desk:
    """Where orders come in and where their tasks can be looked at."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.service: Service = app.extensions["achkych"]

    def receive(self, body: dict[str, Any]) -> UUID:
        """The order, received; what it asks for is up to a worker."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        with self.app.app_context(), unit_of_work():
            here = at_work(self.service, "test")
            received = receive_order(here, raw, body, {"webhook-id": f"{body['orderId']}/{body['version']}"})
            assert received.order is not None
            return received.order.id

    @contextmanager
    def looking(self) -> Iterator[None]:
        with self.app.app_context():
            yield
            db.session.rollback()
            db.session.remove()

    def all(self, statement: Any) -> list[Any]:
        with self.looking():
            found = list(db.session.scalars(statement))
            db.session.expunge_all()
        return found

    def one(self, statement: Any) -> Any:
        (found,) = self.all(statement)
        return found

    def order(self, order_pk: UUID) -> Order:
        return self.one(sa.select(Order).where(Order.id == order_pk))

    def account(self, number: int) -> Account:
        owner = sa.select(Person.id).where(Person.employee_no == f"E-{number}")
        return self.one(sa.select(Account).where(Account.person_id.in_(owner)))

    def key(self, number: int) -> Correlation:
        """What a target finds the account by, knowing no remote id."""
        account = self.account(number)
        return Correlation(str(account.id), None, account.login, account.email)

    def link(self, number: int, system: str) -> Link:
        return self.one(sa.select(Link).where(Link.account_id == self.account(number).id, Link.system == system))

    def tasks(self, number: int, system: str) -> list[Task]:
        """All tasks of the person in this system, oldest first."""
        mine = sa.select(Task).where(Task.account_id == self.account(number).id, Task.system == system)
        return self.all(mine.order_by(Task.id))

    def task(self, number: int, system: str) -> Task:
        """The newest of them."""
        return self.tasks(number, system)[-1]

    def message(self, number: int) -> Message:
        return self.one(sa.select(Message).where(Message.account_id == self.account(number).id))

    def change(self, do: Callable[[], None]) -> None:
        """Something done to rows directly, and committed."""
        with self.app.app_context(), unit_of_work():
            do()
